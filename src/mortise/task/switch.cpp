#include <mortise/task/switch.hpp>

#include <cxxabi.h>
#include <pthread.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

#if MORTISE_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#if MORTISE_TSAN
#include <sanitizer/tsan_interface.h>
#endif

// This file and nothing else runs in the moment between two stacks, so it is not instrumented.
#define MORTISE_BARE __attribute__((no_sanitize("address", "thread", "undefined")))

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {

namespace bc = boost::context::detail;

// Passed from the stack that is left to the one that is entered; lives on the former.
struct handover {
  suspended* from;
  void* data;
};

#if defined(__x86_64__) && defined(__ELF__)
// fcontext comes to the other stack by a jump. Were it called, the processor, which guesses returns by the calls it has seen, would be one call ahead
// there, and guess each return from here to the fiber's own code wrong: 37 ns a yield instead of 23 (EPYC Zen 3, November 2026, bench
// P11). So it is jumped to, with the address to come back to on the stack, and what is returned from is the call of this.
MORTISE_BARE __attribute__((naked, noinline)) bc::transfer_t jump(bc::fcontext_t, void*) {
  asm("leaq 1f(%rip), %rax\n\t"
      "pushq %rax\n\t"
      "jmp jump_fcontext@PLT\n\t"
      "nop\n"  // unwinders look up what is before the address
      "1:\tret");
}
// A stack that was left so has one address more on it than a call leaves there, so what is put on top of it begins at another alignment.
#define MORTISE_ANY_ALIGNMENT __attribute__((force_align_arg_pointer))
#else
#define MORTISE_ANY_ALIGNMENT
MORTISE_BARE bc::transfer_t jump(bc::fcontext_t to, void* data) { return bc::jump_fcontext(to, data); }
#endif

MORTISE_BARE void* arrived(bc::transfer_t t, [[maybe_unused]] void* fake_stack) noexcept {
  auto* const h = static_cast<handover*>(t.data);
  void* const data = h->data;
  h->from->set(t.fctx);
#if MORTISE_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, &h->from->bottom, &h->from->size);
#endif
  return data;
}

MORTISE_BARE bc::transfer_t leave(const suspended& to, handover& h,
                                  [[maybe_unused]] void** fake_stack) noexcept {
#if MORTISE_ASAN
  __sanitizer_start_switch_fiber(fake_stack, to.bottom, to.size);
#endif
#if MORTISE_TSAN
  h.from->shadow = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(to.shadow, 0);
#endif
  return jump(to.where(), &h);
}

// What jump_fcontext leaves on the stack that it leaves, below the address to go on at: 56 bytes, and in some versions the stack protector's word and
// the place in the shadow stack. Where they are not, this has addresses to return to, which nobody writes.
#if defined(__x86_64__)
constexpr std::size_t saved_by_jump = 72;
#else
constexpr std::size_t saved_by_jump = 176;  // aarch64
#endif

struct errand {
  void (*f)(void*);
  void* with;
};
MORTISE_ANY_ALIGNMENT bc::transfer_t run_errand(bc::transfer_t t) {
  const auto* const mine = static_cast<const errand*>(t.data);
  mine->f(mine->with);
  bc::jump_fcontext(t.fctx, nullptr);
  __builtin_unreachable();
}

}  // namespace

MORTISE_BARE void* switch_stack(suspended& from, const suspended& to, void* data) noexcept {
  handover h{&from, data};
  void* fake_stack = nullptr;
  const bc::transfer_t t = leave(to, h, &fake_stack);
  return arrived(t, fake_stack);
}

MORTISE_BARE void switch_for_good(suspended& last, const suspended& to, void* data) noexcept {
  handover h{&last, data};
  leave(to, h, nullptr);
  __builtin_unreachable();
}

MORTISE_BARE void* arrive_first(bc::transfer_t t) noexcept { return arrived(t, nullptr); }

// ontop_fcontext puts a call on top of the frames that a stack has, so that unwinding from it comes to those; what it takes away for that, the registers
// which jump_fcontext left there, is put back. Going on without that, from where the call leaves the stack, works too, but takes some of it for ever.
//
// Not a byte more: what lies above is the fiber's, and others write there while it is parked, as who unlocks does to the links of a waiter.
void call_on_top(const suspended& s, void (*f)(void*), void* with) noexcept {
  char saved[saved_by_jump];
  void* const at = s.where();
  std::memcpy(saved, at, sizeof saved);
  errand e{f, with};
  bc::ontop_fcontext(at, &e, &run_errand);
  std::memcpy(at, saved, sizeof saved);
}

void* exceptions_of_this_thread() noexcept { return abi::__cxa_get_globals(); }

suspended make_raw_stack(char* base, char* top, void (*start)(bc::transfer_t)) noexcept {
  suspended s;
  s.set(bc::make_fcontext(top, static_cast<std::size_t>(top - base), start));
#if MORTISE_ASAN
  s.bottom = base;
  s.size = static_cast<std::size_t>(top - base);
#endif
#if MORTISE_TSAN
  s.shadow = __tsan_create_fiber(0);
#endif
  return s;
}

void name_stack([[maybe_unused]] const suspended& s, [[maybe_unused]] const char* kind,
                [[maybe_unused]] unsigned long number) noexcept {
#if MORTISE_TSAN
  char name[64];
  std::snprintf(name, sizeof name, "mortise %s %lu", kind, number);
  __tsan_set_fiber_name(s.shadow, name);
#endif
}

void drop_stack([[maybe_unused]] suspended& s) noexcept {
#if MORTISE_TSAN
  __tsan_destroy_fiber(s.shadow);
  s.shadow = nullptr;
#endif
  s.set(nullptr);
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
