#include <mortise/base/restartable.hpp>

#if MORTISE_HAS_SEQUENCES
#include <linux/membarrier.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include <mortise/base/fatal.hpp>
#include <mortise/base/fork.hpp>
#include <mortise/base/process_once.hpp>
#endif

namespace mortise::inline MORTISE_ABI::restartable {

constinit atomic<bool> detail::is_shut{false};

#if MORTISE_HAS_SEQUENCES && !defined(MORTISE_RMW_UNLOCK)

constinit std::ptrdiff_t detail::area = 0;

namespace {

// What `area` is while nothing is shut; 0: sequences are not in use. Changes once, and back only in the child of a fork that may not have them.
// Relaxed: says nothing of other memory.
constinit atomic<std::ptrdiff_t> granted{0};

void show_area() noexcept {
  __atomic_store_n(&detail::area,
                   detail::is_shut.load(memory_order_relaxed) ? 0 : granted.load(memory_order_relaxed),
                   __ATOMIC_RELAXED);
}

// Older headers do not have them.
constexpr int expedited_rseq = 1 << 7;
constexpr int register_expedited_rseq = 1 << 8;

long membarrier_of(int command) noexcept { return ::syscall(SYS_membarrier, command, 0, 0); }

bool this_thread_is_registered() noexcept {
  if (__rseq_size == 0) return false;
  const auto* const mine =
      reinterpret_cast<const struct rseq*>(static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset);
  return static_cast<int>(mine->cpu_id) >= 0;
}

void in_child() noexcept {
  if (membarrier_of(register_expedited_rseq) != 0) granted.store(0, memory_order_relaxed);
  show_area();
}

constinit process_once decided;

// While there is one thread it costs the kernel next to nothing; later, some milliseconds.
[[maybe_unused]] const bool as_the_program_is_loaded = in_use();

}  // namespace

bool in_use() noexcept {
  if (granted.load(memory_order_relaxed) != 0) return true;
  decided([] {
    if (!this_thread_is_registered() || membarrier_of(register_expedited_rseq) != 0) return;
    at_fork(nullptr, nullptr, &in_child);
    granted.store(__rseq_offset, memory_order_relaxed);
    show_area();
  });
  return granted.load(memory_order_relaxed) != 0;
}

void shut(bool s) noexcept {
  detail::is_shut.store(s, memory_order_relaxed);
  show_area();
}

void interrupt_all() noexcept {
  if (membarrier_of(expedited_rseq) == 0) return;
  fatal(
      "membarrier failed with errno %d although it was registered: a sandbox that refuses it is to be entered before the "
      "program uses a lock, or the library built with MORTISE_RMW_UNLOCK",
      errno);
}

#else

#if MORTISE_HAS_SEQUENCES
constinit std::ptrdiff_t detail::area = 0;
#endif

bool in_use() noexcept { return false; }
void interrupt_all() noexcept {}
void shut(bool s) noexcept { detail::is_shut.store(s, memory_order_relaxed); }

#endif

}  // namespace mortise::inline MORTISE_ABI::restartable
