#include <mortise/shm/shared_futex.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

#include <mortise/base/chaos.hpp>
#include <mortise/base/fatal.hpp>

namespace mortise::inline MORTISE_ABI::shm {

void shared_futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected, nanos deadline) noexcept {
  chaos_point(chaos::preempt);
  if (chaos_strikes(chaos::spurious)) return;
  const timespec at{static_cast<time_t>(deadline / 1'000'000'000),
                    static_cast<long>(deadline % 1'000'000'000)};
  const long result = ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, expected,
                                deadline == never ? nullptr : &at, nullptr, FUTEX_BITSET_MATCH_ANY);
  if (result == 0 || errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT) return;
  fatal("futex wait at %p in shared memory failed with errno %d: is it still mapped?",
        static_cast<const void*>(&word), errno);
}

void shared_futex_wake(const atomic<std::uint32_t>& word) noexcept {
  chaos_point(chaos::delay);
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace mortise::inline MORTISE_ABI::shm
