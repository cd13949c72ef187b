#include <mortise/task/alarm.hpp>

#include <sys/prctl.h>

#include <algorithm>

#include <mortise/base/futex.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

void alarm::sharpen_this_thread() noexcept { ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

void alarm::wait(const atomic<std::uint32_t>& word, nanos deadline) noexcept {
  if (deadline == never || !m_precise) return futex_wait(word, 0, deadline);
  nanos now = now_ns();
  if (!m_allowance.covers(std::min(m_lead, deadline - now), now)) return futex_wait(word, 0, deadline);
  const nanos early = deadline - m_lead;
  if (now < early) {
    futex_wait(word, 0, early);
    now = now_ns();
    if (now < early) return;  // woken by something else
    learn(now - early);
  }
  const nanos since = now;
  // acquire: pairs with the waker's release; what it put into the inbox is seen by the worker
  while (now < deadline && word.load(memory_order_acquire) == 0) {
    cpu_relax();
    now = now_ns();
  }
  if (since < deadline)
    m_allowance.spend(std::min(now, deadline) - since);  // beyond it the core was another's
}

// Follows the 90th percentile: nine small steps down weigh as much as one up.
void alarm::learn(nanos late) noexcept {
  constexpr nanos step = 500;
  constexpr nanos least = 5'000;
  constexpr nanos most = 200'000;  // beyond that the machine is busy, and spinning would make it worse
  m_lead = std::clamp(m_lead + (late > m_lead ? 9 * step : -step), least, most);
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
