#include <mortise/cluster/front.hpp>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <utility>

#include <mortise/base/age_clock.hpp>
#include <mortise/cluster/errors.hpp>
#include <mortise/wait/particulars.hpp>
#include <mortise/wait/waiting.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

front::front(std::shared_ptr<session_core> s, lock_names names, handover_bounds b, bool guards_a_value)
    : m_session{std::move(s)},
      m_names{std::move(names)},
      m_bounds{b},
      m_guards_a_value{guards_a_value},
      m_serial{m_session->serial()} {
  m_session->locks().enter(*this);
}

front::~front() { m_session->locks().strike(*this); }

front::section::~section() {
  std::vector<wait::parker*> wakes;
  wakes.swap(m_front.m_wakes);
  const bool gives_up = std::exchange(m_front.m_gives_up_local, false);
  m_front.m_guard.unlock();
  if (gives_up) m_front.m_turn.give_up();
  for (wait::parker* who : wakes) who->unpark();
}

bool front::entry::take_or_queue(wait::waiter& n) noexcept {
  {
    const section in{*f};
    ++f->m_coming;
    v->at = visit::place::coming;
    v->asked = now_ns();
  }
  if (!f->m_turn.take_or_queue(n)) return false;
  const section in{*f};
  f->entered(*v);
  return f->proceed(n, *v);
}

bool front::entry::claim(wait::waiter& n) noexcept {
  bool comes = false;
  {
    const section in{*f};
    if (v->at == visit::place::represents) return f->proceed(n, *v);
    comes = v->at == visit::place::coming;
  }
  // A coroutine that yielded first, or one that was told and did not come for long.
  if (!comes) return take_or_queue(n);
  if (!f->m_turn.claim(n)) return false;
  const section in{*f};
  f->entered(*v);
  return f->proceed(n, *v);
}

void front::entry::leave(wait::waiter& n) noexcept {
  bool comes = false;
  {
    const section in{*f};
    comes = v->at == visit::place::coming;
    if (v->at == visit::place::represents) {
      ++f->m_numbers.given_up;
      f->end_visit(n, *v, visit::place::outside);
    }
  }
  n.since = comes ? n.since : 0;
  if (!comes) return;
  f->m_turn.leave(n);
  const section in{*f};
  v->at = visit::place::outside;
  --f->m_coming;
  f->settle();
}

void front::entered(visit& v) {
  --m_coming;
  m_inside = true;
  m_left_since = 0;
  v.at = visit::place::represents;
}

// True: the wait is over, and `v` says how.
bool front::proceed(wait::waiter& n, visit& v) {
  if (!m_refusal.empty()) {
    v.why = std::exchange(m_refusal, {});
    end_visit(n, v, visit::place::refused);
    return true;
  }
  if (m_stay == nullptr) begin_stay();
  if (m_stay != nullptr && m_stay->machine.at() == tenure::stage::holds) {
    m_who = nullptr;
    m_representing = nullptr;
    m_left_since = 0;
    n.since = 0;
    v.at = visit::place::inside;
    if (m_stay->acquisitions++ != 0) ++m_numbers.local_handovers;
    ++m_numbers.acquisitions;
    m_inside_since = now_ns();
    m_numbers.wait.record(m_inside_since - v.asked);
    return true;
  }
  if (v.how == patience::tries && m_stay != nullptr &&
      (m_stay->machine.at() == tenure::stage::waits || m_stay->machine.at() == tenure::stage::looks)) {
    end_visit(n, v, visit::place::in_vain);
    return true;
  }
  m_who = n.who;  // F3
  m_representing = &v;
  n.since = age_clock_now();  // what is left by leave()
  return false;
}

void front::end_visit(wait::waiter& n, visit& v, visit::place how) {
  m_who = nullptr;
  m_representing = nullptr;
  n.since = 0;
  m_inside = false;
  v.at = how;
  settle();
  leave_local();
}

// F2
void front::settle() {
  if (!m_inside && m_coming == 0) return release();
  look_after_those_to_come();
}

void front::release() {
  if (commit_what_is_left() || m_stay == nullptr) return;
  const tenure::stage at = m_stay->machine.at();
  if (at != tenure::stage::commits && at != tenure::stage::resolves) end_stay();
}

bool front::may_keep() const {
  return m_coming != 0 && !m_stay->seen_gone && m_stay->acquisitions < m_bounds.most &&
         boot_now() - m_stay->held_since < m_bounds.time.count() && m_session->is_good(m_stay->lease);
}

outcome front::enter(const wait::bound& until) {
  visit v;
  const outcome how = wait::wait_for(entry{this, &v}, until);
  if (v.at == visit::place::refused) throw_refused(v);
  return how;
}

bool front::try_enter() {
  if (!m_turn.try_take()) return false;
  // By the same way as those who wait, with the local mutex in hand.
  visit v;
  v.how = patience::tries;
  v.asked = now_ns();
  v.at = visit::place::represents;
  {
    const section in{*this};
    m_inside = true;
  }
  struct in_hand : entry {
    bool take_or_queue(wait::waiter& n) noexcept { return claim(n); }
  };
  const outcome how =
      wait::wait_for(in_hand{{this, &v}}, wait::bound{deadline_after(m_session->options().answer_within)});
  if (v.at == visit::place::refused) throw_refused(v);
  return how == outcome::acquired && v.at == visit::place::inside;
}

void front::exit() noexcept {
  const section in{*this};
  left();
  give_key_back_or_keep();
}

void front::give_key_back_or_keep() {
  if (m_stay != nullptr && m_stay->machine.at() == tenure::stage::holds && !may_keep()) end_stay();
  look_after_those_to_come();
}

void front::tell(const void* whom, wait::particulars& to) noexcept {
  std::snprintf(to.name, sizeof to.name, "%s", static_cast<const front*>(whom)->m_names.name().c_str());
}

void front::throw_refused(const visit& v) const {
  throw refused_error{"cluster lock '" + m_names.name() + "': " + v.why};
}

mortise::token front::token() const {
  const std::lock_guard hold{m_guard};
  return m_stay == nullptr ? 0 : m_stay->machine.token();
}

std::stop_token front::lost() const {
  const std::lock_guard hold{m_guard};
  return m_stay == nullptr ? std::stop_token{} : m_stay->warned.get_token();
}

bool front::is_held() const {
  const std::lock_guard hold{m_guard};
  return m_inside || m_coming != 0;
}

numbers front::counted() const {
  const std::lock_guard hold{m_guard};
  return m_numbers;
}

}  // namespace mortise::inline MORTISE_ABI::cluster
