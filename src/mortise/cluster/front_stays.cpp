// The tenures of a front: what their machines want done, and what has become of them.
#include <mortise/cluster/front.hpp>

#include <algorithm>
#include <utility>

namespace mortise::inline MORTISE_ABI::cluster {

void front::begin_stay() {
  const lease_id lease = m_session->lease();
  if (lease == 0) return;  // lease_changed goes on
  if (std::exchange(m_fence_lease, lease) != lease) m_fence = 0;
  const place where{m_names.queue(), m_names.in_queue(lease, m_session->serial()),
                    m_names.fence(lease, m_serial), m_guards_a_value ? m_names.value() : std::string{},
                    lease};
  tenure::patience p;
  p.resolving = m_session->options().resolve_within.count();
  m_refusal.clear();
  m_stay =
      std::make_shared<stay>(stay{.machine = tenure{where, m_fence, p}, .lease = lease, .key = where.me});
  m_stays.push_back(m_stay);
  ++m_numbers.tenures;
  perform(m_stay, m_stay->machine.begin(boot_now()));
}

// Gives the key back; the others go on when the store has it.
void front::end_stay() {
  const std::shared_ptr<stay> s = std::exchange(m_stay, nullptr);
  if (s->own_watch != 0) m_session->where().forget(std::exchange(s->own_watch, 0));
  perform(s, s->machine.leave(boot_now()));
  after(s);
}

// What calls `e(machine)` later, whatever has become of the lock meanwhile.
template <class Event>
auto front::later(const std::shared_ptr<stay>& s, Event e) {
  return [self = shared_from_this(), s, e = std::move(e)](const auto&... args) {
    const section in{*self};
    self->perform(s, e(s->machine, args...));
    self->after(s);
  };
}

void front::perform(const std::shared_ptr<stay>& s, request r) {
  if (r.number != 0 && s->watch != 0) m_session->where().forget(std::exchange(s->watch, 0));
  const std::uint64_t number = r.number;
  if (auto* t = std::get_if<transaction>(&r.what)) {
    m_session->where().commit(std::move(*t), later(s, [number](tenure& m, const transaction_reply& got) {
                                return m.answered(number, got, boot_now());
                              }));
  } else if (auto* w = std::get_if<watch_request>(&r.what)) {
    if (!m_names.is_of(s->lease, w->key)) s->was_waited_for = true;
    s->watch = m_session->where().watch(std::move(w->key), w->from,
                                        later(s, [number](tenure& m, const watch_end& how) {
                                          return m.watch_ended(number, how, boot_now());
                                        }));
  } else if (auto* p = std::get_if<pause_until>(&r.what)) {
    m_session->at(p->at, later(s, [number](tenure& m) { return m.pause_over(number, boot_now()); }));
  }
}

void front::after(const std::shared_ptr<stay>& s) {
  const tenure::stage at = s->machine.at();
  if (s == m_stay) {
    if (at == tenure::stage::holds && !s->has_held) holds(s);
    if (at == tenure::stage::holds || at == tenure::stage::leaves || at == tenure::stage::over)
      commit_ended(*s);
    if (at == tenure::stage::leaves || at == tenure::stage::over) {
      if (s->machine.ended() == tenure::ending::refused && !s->machine.text().empty())
        m_refusal = s->machine.text();
      m_stay = nullptr;
    }
    wake(m_who);
    settle();
  }
  if (at == tenure::stage::over && !std::exchange(s->ended, true)) over(*s);
  if (at == tenure::stage::over) std::erase(m_stays, s);
}

void front::holds(const std::shared_ptr<stay>& s) {
  s->has_held = true;
  s->held_since = boot_now();
  if (s->was_waited_for) ++m_numbers.remote_handovers;
  s->warning = m_session->warn(s->lease, s->warned);
  // A value's holders are told by their commits.
  if (!m_guards_a_value) watch_own(s, static_cast<revision>(s->machine.token()) + 1);
  new_state();
}

// From `from` on; what was before is known.
void front::watch_own(const std::shared_ptr<stay>& s, revision from) {
  s->own_watch = m_session->where().watch(s->key, from, [self = shared_from_this(), s](const watch_end& how) {
    const section in{*self};
    if (s->own_watch == 0 || s->machine.at() != tenure::stage::holds) return;
    s->own_watch = 0;
    if (how == watch_end::erased) return self->own_key_is_gone(*s);
    self->look_for_own(s);
  });
}

// The store may have forgotten since what the watch that broke began with; another one from there would break, too.
void front::look_for_own(const std::shared_ptr<stay>& s) {
  m_session->at(boot_now() + 100'000'000, [self = shared_from_this(), s] {
    const section in{*self};
    if (s->machine.at() != tenure::stage::holds || s->own_watch != 0) return;
    transaction t;
    t.then = {range{.key = s->key}};
    self->m_session->where().commit(std::move(t), [self, s](const transaction_reply& r) {
      const section again{*self};
      if (s->machine.at() != tenure::stage::holds || s->own_watch != 0) return;
      const auto mine = static_cast<revision>(s->machine.token());
      // No answer, or of a server that has not come to my key yet.
      if (r.how != verdict::ok || r.found.empty() || r.at < mine) return self->look_for_own(s);
      const bool is_there = !r.found[0].empty() && r.found[0][0].created == mine;
      is_there ? self->watch_own(s, r.at + 1) : self->own_key_is_gone(*s);
    });
  });
}

void front::own_key_is_gone(stay& s) {
  s.seen_gone = true;
  m_session->warn_now(s.warning);
}

void front::over(stay& s) {
  if (s.has_held) m_numbers.kept.record(boot_now() - s.held_since);
  if (s.lease == m_fence_lease) m_fence = std::max(m_fence, s.machine.fence());
  if (s.machine.ended() != tenure::ending::gave_back) {
    if (s.warning != 0) m_session->warn_now(s.warning);
    ++(s.machine.ended() == tenure::ending::refused ? m_numbers.refused : m_numbers.lost);
  } else if (s.warning != 0) {
    m_session->forget_warning(s.warning);
  }
  if (s.machine.lease_was_refused()) {
    m_session->gone(s.lease);
  } else if (s.machine.ended() == tenure::ending::lost) {
    m_session->doubted(s.lease);
  }
}

namespace {
constexpr nanos comes_within =
    10'000'000;  // more than what a lock in the process waits for one (wait/offer.hpp)
}

// The key is held for one who was told to come, by the local mutex or by us, and who may be a coroutine that nobody runs.
bool front::one_may_not_come() const {
  if (m_stay == nullptr || m_stay->machine.at() != tenure::stage::holds) return false;
  return m_inside ? m_representing != nullptr && m_who != nullptr && !m_who->runs_by_itself() : m_coming != 0;
}

// F6. One timer at a time, whose sight of somebody who comes and goes is enough.
void front::look_after_those_to_come() {
  if (!one_may_not_come()) {
    m_left_since = 0;
    return;
  }
  if (m_left_since == 0) m_left_since = boot_now();
  if (std::exchange(m_looks, true)) return;
  m_session->at(m_left_since + comes_within, [self = shared_from_this()] {
    const section in{*self};
    self->m_looks = false;
    self->look();
  });
}

void front::look() {
  if (one_may_not_come() && m_left_since != 0 && boot_now() - m_left_since >= comes_within) {
    m_left_since = 0;
    if (!m_inside) return release();
    m_representing->at = visit::place::outside;
    m_representing = nullptr;
    m_who = nullptr;
    m_inside = false;
    leave_local();
    if (m_coming == 0) return release();
  }
  look_after_those_to_come();
}

void front::lease_changed(lease_id before, lease_id now) {
  const section in{*this};
  if (before != 0) {
    const auto those = m_stays;
    for (const auto& s : those) {
      if (s->lease != before) continue;
      perform(s, s->machine.lease_is_gone(boot_now()));
      after(s);
    }
  }
  if (now != 0) wake(m_who);  // who represents begins a stay
}

}  // namespace mortise::inline MORTISE_ABI::cluster
