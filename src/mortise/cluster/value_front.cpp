#include <mortise/cluster/value_front.hpp>

#include <mutex>
#include <utility>

#include <mortise/base/age_clock.hpp>
#include <mortise/cluster/errors.hpp>
#include <mortise/wait/waiting.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

namespace {
// How many changes wait for one another, and how long: what the first one pays for the others.
constexpr unsigned most_changes = 256;
constexpr nanos longest_gathering = 2'000'000;
}  // namespace

value_front::value_front(std::shared_ptr<session_core> s, lock_names names, handover_bounds b)
    : front{std::move(s), std::move(names), b, true} {}

void value_front::join(ticket& t) noexcept {
  {
    const section in{*this};
    if (m_changes++ == 0) m_first_joined = now_ns();
    t.m_front = this;
    t.m_fate = fate::pending;
    m_joined.push_back(&t);
    if (m_coming != 0 && m_changes < most_changes && now_ns() - m_first_joined < longest_gathering) {
      left();
      return settle();
    }
  }
  // Still inside: the working copy is ours (F4), and is written down without a lock.
  std::string bytes;
  std::exception_ptr error;
  try {
    bytes = encode();
  } catch (...) {
    error = std::current_exception();
  }
  const section in{*this};
  left();
  if (!error) return begin_commit(std::move(bytes), may_keep() ? key::is_kept : key::is_given_back);
  ++m_version;
  m_changes = 0;
  tell_all(m_joined, fate::refused, {}, error);
  settle();
}

void value_front::exit_without_change() noexcept {
  const section in{*this};
  left();
  if (m_changes == 0) {
    give_key_back_or_keep();
  } else {
    settle();
  }
}

void value_front::begin_commit(std::string bytes, key mine) {
  m_flying.swap(m_joined);
  m_changes_flying = std::exchange(m_changes, 0);
  perform(m_stay, m_stay->machine.commit(std::move(bytes), mine, boot_now()));
}

// Under m_guard, where nobody is inside, and nobody comes or has come for long (F4).
bool value_front::commit_what_is_left() {
  if (m_changes == 0) return false;
  try {
    begin_commit(encode(), key::is_given_back);
    return true;
  } catch (...) {
    ++m_version;
    m_changes = 0;
    tell_all(m_joined, fate::refused, {}, std::current_exception());
    return false;
  }
}

void value_front::commit_ended(stay& s) {
  const tenure::result r = s.machine.last();
  if (r == tenure::result::none || m_changes_flying == 0) return;
  const unsigned changes = std::exchange(m_changes_flying, 0);
  fate what = fate::again;
  if (s.machine.last_was_resolved()) ++m_numbers.unknown;
  switch (r) {
    case tenure::result::applied:
      what = fate::applied;
      ++m_numbers.commits;
      m_numbers.updates += changes;
      if (s.machine.last_was_resolved()) ++m_numbers.resolved_applied;
      break;
    case tenure::result::lost:
      what = fate::lost;
      m_numbers.updates_lost += changes;
      break;
    case tenure::result::unknown:
      what = fate::unknown;
      ++m_numbers.unresolved;
      m_numbers.updates_unknown += changes;
      break;
    case tenure::result::refused: what = fate::refused; break;
    case tenure::result::not_applied: ++m_numbers.resolved_not_applied; break;
    case tenure::result::stale:
    case tenure::result::none: break;
  }
  if (what == fate::again) m_numbers.updates_again += changes;
  if (r != tenure::result::applied) ++m_version;
  tell_all(m_flying, what, s.machine.text(), nullptr);
}

void value_front::tell_all(std::vector<ticket*>& those, fate what, const std::string& why,
                           const std::exception_ptr& error) {
  for (ticket* t : those) {
    t->m_fate = what;
    if (what != fate::applied && what != fate::again) {
      t->m_why = why;
      t->m_error = error;
    }
    wake(t->m_who);
  }
  those.clear();
}

void value_front::forget(ticket& t) noexcept {
  const section in{*this};
  std::erase(m_joined, &t);
  std::erase(m_flying, &t);
}

bool value_front::news::take_or_queue(wait::waiter& n) noexcept {
  const section in{*f};
  if (t->m_fate != fate::pending) {
    n.since = 0;
    return true;
  }
  t->m_who = n.who;
  n.since = age_clock_now();
  return false;
}

void value_front::news::leave(wait::waiter& n) noexcept {
  const section in{*f};
  t->m_who = nullptr;
  n.since = 0;
}

void value_front::await(ticket& t) noexcept {
  static_cast<void>(wait::wait_for(news{this, &t}, wait::bound{never}));
}

void value_front::ticket::rethrow(const lock_names& names) const {
  const std::string whom = "cluster value '" + names.name() + "': ";
  if (m_error) std::rethrow_exception(m_error);
  switch (m_fate) {
    case fate::lost: throw lost_error{whom + "the lease was lost before the update was committed"};
    case fate::unknown:
      throw unknown_error{whom + "no answer to the commit of the update" +
                          (m_why.empty() ? "" : ": " + m_why)};
    case fate::refused: throw refused_error{whom + m_why};
    case fate::pending:
    case fate::applied:
    case fate::again: break;
  }
}

}  // namespace mortise::inline MORTISE_ABI::cluster
