#include <mortise/base/futex.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include <mortise/base/chaos.hpp>
#include <mortise/base/fatal.hpp>

namespace mortise::inline MORTISE_ABI {

void futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected, nanos deadline) noexcept {
  chaos_point(chaos::preempt);
  if (chaos_strikes(chaos::spurious)) return;
  timespec at{};
  timespec* until = nullptr;
  if (deadline != never) {
    if (deadline < 0) deadline = 0;
    at.tv_sec = static_cast<time_t>(deadline / 1'000'000'000);
    at.tv_nsec = static_cast<long>(deadline % 1'000'000'000);
    until = &at;
  }
  // FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time, so a retry after a signal does not stretch the
  // wait.
  const long result = ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, until,
                                nullptr, FUTEX_BITSET_MATCH_ANY);
  if (result == 0 || errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT) return;
  fatal("futex wait at %p failed with errno %d: the kernel refuses futexes or memory was overwritten",
        static_cast<const void*>(&word), errno);
}

void futex_wake(const atomic<std::uint32_t>& word, int count) noexcept {
  chaos_point(chaos::delay);
  // EFAULT is not an error here: the word's memory may have been freed since the caller decided to wake it.
  ::syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, nullptr, nullptr, 0);
}

}  // namespace mortise::inline MORTISE_ABI
