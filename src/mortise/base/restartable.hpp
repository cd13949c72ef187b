#pragma once

#include <cstdint>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/chaos.hpp>
#include <mortise/base/sanitizers.hpp>

#if defined(__GLIBC__) && defined(__x86_64__) && defined(__LP64__) && !MORTISE_IS_MODEL && !MORTISE_TSAN
#define MORTISE_HAS_SEQUENCES __GLIBC_PREREQ(2, 35)
#else
#define MORTISE_HAS_SEQUENCES 0
#endif

// A lock byte that is given up without a read-modify-write, by a restartable sequence of the kernel's (rseq(2)): "if nobody has
// said anything, clear it", in which the thread is neither preempted nor migrated nor sent a signal; else the kernel moves it to
// where the sequence failed, before the store is made.
//
// It is the lowest byte of an 8-byte word. The second byte is where others say that they want something of whoever clears the
// first; the rest changes only while the second is not 0. Whoever sets the second byte from 0 does so by RMW, and then calls interrupt_all(): from its return on
// every clear_byte that was under way has either been seen or has failed. So the fast side pays nothing and the rare side some
// hundred nanoseconds (an asymmetric Dekker: D. Dice et al., 2001; with sequences: M. Desnoyers, "Restartable sequences", 2018).
//
// All of the fast side is accesses of single bytes. A load or RMW of eight bytes that follows a store of one of them has to wait
// until that store is in the cache: 7.4 ns a lock and unlock instead of 2.2 (EPYC Zen 4, November 2026, bench uncontended).
namespace mortise::inline MORTISE_ABI::restartable {

// Whether sequences are in use in this process; the first call decides, as the program is loaded. No: clear_byte is an RMW.
// Kernel, glibc (from 2.35) and sandbox must grant rseq and membarrier, the build must be for x86-64, without ThreadSanitizer and
// without MORTISE_RMW_UNLOCK.
MORTISE_API bool in_use() noexcept;

// Shut: set_byte and clear_byte do nothing and say no, also where they could, so that all goes by the caller's slow way, where others can
// look on. Calls that are under way do what they came for. Calls of this must not overlap.
MORTISE_API void shut(bool s) noexcept;

// Ends the sequences under way in all other threads of the process, as a barrier does that each of them executes. Cost: 0.3 to 3 us.
// Requires: in_use().
MORTISE_API void interrupt_all() noexcept;

#if !MORTISE_IS_MODEL
namespace detail {
extern MORTISE_API atomic<bool>
    is_shut;  // relaxed: orders nothing, and is looked at only where there is no sequence
}
#endif

#if MORTISE_HAS_SEQUENCES

namespace detail {
// Where a thread's `struct rseq` is, from the thread pointer. 0: sequences are not in use, or all is shut.
extern MORTISE_API std::ptrdiff_t area;

// The layout of struct rseq and of struct rseq_cs are the kernel's ABI (linux/rseq.h): at 4 the CPU, negative for a thread that
// is not registered; at 8 the sequence under way, which is taken back behind the store so that no thread points into a library
// that is unloaded. 0x53053053 is what glibc registered as the signature before an abort handler.
[[gnu::always_inline]] inline bool clear_in_sequence(atomic<std::uint64_t>& word,
                                                     std::uint8_t expected) noexcept {
  const std::ptrdiff_t at = __atomic_load_n(&area, __ATOMIC_RELAXED);
  if (at == 0) [[unlikely]]
    return false;
  auto* const bytes = reinterpret_cast<unsigned char*>(&word);
  // clang-format off
  asm goto(
      ".pushsection __rseq_cs, \"aw?\"\n\t"
      ".balign 32\n"
      "1:\n\t"
      ".long 0, 0\n\t"
      ".quad 2f, 3f - 2f, 4f\n\t"
      ".popsection\n\t"
      "cmpl $0, %%fs:4(%[at])\n\t"
      "js %l[failed]\n\t"
      "leaq 1b(%%rip), %%rax\n\t"
      "movq %%rax, %%fs:8(%[at])\n"
      "2:\n\t"
      "cmpb $0, %[second]\n\t"
      "jne 5f\n\t"
      "cmpb %[expected], %[byte]\n\t"
      "jne 5f\n\t"
      "movb $0, %[byte]\n"
      "3:\n\t"
      "movq $0, %%fs:8(%[at])\n\t"
      ".pushsection __rseq_failure, \"ax?\"\n\t"
      ".byte 0x0f, 0xb9, 0x3d\n\t"
      ".long 0x53053053\n"
      "4:\n\t"
      "jmp %l[failed]\n"
      "5:\n\t"
      "movq $0, %%fs:8(%[at])\n\t"
      "jmp %l[failed]\n\t"
      ".popsection"
      :
      : [at] "r"(at), [expected] "iq"(expected), [byte] "m"(bytes[0]), [second] "m"(bytes[1])
      : "rax", "cc", "memory"
      : failed);
  // clang-format on
  return true;
failed:
  return false;
}

[[gnu::always_inline]] inline bool set_free_byte(atomic<std::uint64_t>& word, std::uint8_t v) noexcept {
  bool done;
  std::uint8_t expected = 0;
  asm volatile("lock cmpxchgb %[v], %[byte]"
               : "=@ccz"(done), [byte] "+m"(reinterpret_cast<unsigned char&>(word)), "+a"(expected)
               : [v] "q"(v)
               : "memory");
  return done;
}

}  // namespace detail

#endif

// Sets the byte from 0 to `v`: acquire. False: it was not 0, or all is shut.
inline bool set_byte(atomic<std::uint64_t>& word, std::uint8_t v) noexcept {
#if MORTISE_HAS_SEQUENCES
  chaos_point(chaos::preempt);
  if (__atomic_load_n(&detail::area, __ATOMIC_RELAXED) != 0) [[likely]]
    return detail::set_free_byte(word, v);
#endif
#if !MORTISE_IS_MODEL
  if (detail::is_shut.load(memory_order_relaxed)) [[unlikely]]
    return false;
#endif
  // Of one width with the RMW that clears it.
  std::uint64_t w = 0;
  do {
    if (word.compare_exchange_weak(w, w | v, memory_order_acquire, memory_order_relaxed)) return true;
  } while ((w & 0xff) == 0);
  return false;
}

// Clears the byte if it is `expected` and the second is 0: release, and the last touch. False: nothing was done.
inline bool clear_byte(atomic<std::uint64_t>& word, std::uint8_t expected) noexcept {
#if MORTISE_HAS_SEQUENCES
  chaos_point(chaos::preempt);
  if (!chaos_strikes(chaos::abort) && detail::clear_in_sequence(word, expected)) [[likely]]
    return true;
#elif MORTISE_IS_MODEL
  // The sequence looks at two bytes; the explorer's, at all of the word as it is.
  const std::uint64_t seen = word.load(memory_order_relaxed);
  if (in_use() && (seen & 0xffff) == expected && word.store_byte_if(seen, 0, 0)) return true;
#endif
#if !MORTISE_IS_MODEL
  if (detail::is_shut.load(memory_order_relaxed)) [[unlikely]]
    return false;
#endif
  // Never the sequence again: single-stepping would interrupt it each time.
  std::uint64_t w = expected;
  return word.compare_exchange_strong(w, 0, memory_order_release, memory_order_relaxed);
}

}  // namespace mortise::inline MORTISE_ABI::restartable
