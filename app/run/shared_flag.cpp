#include <app/run/shared_flag.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>

namespace app {

void shared_flag::raise() noexcept {
  m_word.store(1,
               mortise::memory_order_release);  // <-> wait_until's load: what was made ready before is seen
  ::syscall(SYS_futex, &m_word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

bool shared_flag::wait_until(mortise::nanos deadline) noexcept {
  const timespec at{static_cast<time_t>(deadline / 1'000'000'000),
                    static_cast<long>(deadline % 1'000'000'000)};
  while (m_word.load(mortise::memory_order_acquire) == 0) {
    if (deadline != mortise::never && mortise::now_ns() >= deadline) return false;
    // With a bitset the time is a moment of the monotonic clock, and no duration.
    ::syscall(SYS_futex, &m_word, FUTEX_WAIT_BITSET, 0, deadline == mortise::never ? nullptr : &at, nullptr,
              FUTEX_BITSET_MATCH_ANY);
  }
  return true;
}

}  // namespace app
