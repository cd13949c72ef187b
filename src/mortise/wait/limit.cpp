#include <mortise/wait/limit.hpp>

#include <new>

namespace mortise::inline MORTISE_ABI::wait {

void time_limit::begin(parker& who) noexcept {
  bound b{m_deadline};
  b.begin();
  m_deadline = b.deadline();
  m_who = &who;
  ::new (&m_timer) timer;
  m_armed = m_deadline == never ? nullptr : who.wake_at(m_deadline);
  if (m_deadline != never && m_armed == nullptr) m_timer.arm(who, m_deadline);
}

void time_limit::take_back() noexcept {
  if (m_armed != nullptr) m_who->wake_no_more(m_armed);
  m_timer.disarm();
  m_who = nullptr;
}

}  // namespace mortise::inline MORTISE_ABI::wait
