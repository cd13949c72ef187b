#include "party.hpp"

#include <algorithm>
#include <utility>

namespace cluster_test {

party::party(int name, const plan& p, server& s, simulated_store& net, timeline& t, dice& d, history& h)
    : m_name{name},
      m_plan{p},
      m_server{s},
      m_net{net},
      m_time{t},
      m_dice{d},
      m_history{h},
      m_keeper{{p.ttl, p.ttl / 10, 50 * ms}},
      m_offset{d.between(0, 1000 * ms)},
      m_left{p.updates} {
  m_time.at(m_dice.between(0, 20 * ms), [this] { renew(); });
  m_time.at(m_dice.between(0, 500 * ms), [this] { trouble(); });
}

template <class F>
auto party::here(F what) {
  return [this, what = std::move(what), life = m_life](const auto&... args) {
    if (life != m_life) return;
    if (m_time.now() < m_stopped_until) {
      m_time.at(m_stopped_until, [this, what, life, args...] {
        if (life == m_life) what(args...);
      });
      return;
    }
    what(args...);
  };
}

// What the session's thread does.
void party::renew() {
  if (!m_renewing) return;
  const std::uint64_t mine = ++m_renewals;
  const lease_id before = m_keeper.lease();
  switch (const auto next = m_keeper.at(local()); next.what) {
    case lease_keeper::order::grant:
      m_net.grant(m_plan.ttl, here([this, n = next.number](const lease_reply& r) {
                    m_keeper.granted(n, r, local());
                    renew();
                  }));
      break;
    case lease_keeper::order::keep_alive:
      m_net.keep_alive(next.lease, here([this, n = next.number](const lease_reply& r) {
                         const lease_id had = m_keeper.lease();
                         m_keeper.kept(n, r, local());
                         if (had != m_keeper.lease()) {
                           for (const auto& s : stays{m_stays}) {
                             perform(s, s->machine.lease_is_gone(local()));
                             after(s);
                           }
                         }
                         renew();
                       }));
      break;
    case lease_keeper::order::nothing: break;
  }
  static_cast<void>(before);
  if (m_keeper.wakes_at() != mortise::never) {
    m_time.at(m_keeper.wakes_at() - m_offset, here([this, mine] {
                if (mine == m_renewals) renew();
              }));
  }
  work();
}

// What may happen to a process at any time.
void party::trouble() {
  if (m_time.now() >= m_plan.until || done()) return;
  if (m_dice.chance(m_plan.paused)) m_stopped_until = m_time.now() + m_dice.between(10 * ms, 3 * m_plan.ttl);
  if (m_dice.chance(m_plan.clock_jumps)) m_offset += m_dice.between(-m_plan.ttl, m_plan.ttl);
  if (m_dice.chance(m_plan.dies)) {
    if (m_current && m_current->machine.at() >= tenure::stage::commits) {
      // Nobody is told what became of it.
      m_history.elements[element()] = history::fate::unknown;
      next_element();
    }
    ++m_life;
    m_stays.clear();
    m_current.reset();
    m_keeper = lease_keeper{{m_plan.ttl, m_plan.ttl / 10, 50 * ms}};
    m_stopped_until = 0;
    m_time.at(m_time.now() + m_dice.between(ms, 100 * ms), here([this] { renew(); }));
  }
  // Ends a lease at whatever step the process may be in.
  if (m_dice.chance(m_plan.paused)) m_server.revoke(m_keeper.lease());
  if (m_dice.chance(0.2)) m_server.fall_behind();
  m_time.at(m_time.now() + m_dice.between(ms, 300 * ms), [this] { trouble(); });
}

void party::work() {
  if (m_current || m_left == 0 || m_keeper.lease() == 0) return;
  const lease_id lease = m_keeper.lease();
  if (std::exchange(m_fence_lease, lease) != lease) m_fence = 0;
  const place where{m_names.queue(), m_names.in_queue(lease, ++m_serial), m_names.fence(lease, 0),
                    m_names.value(), lease};
  tenure::patience patience;
  patience.resolving = m_dice.between(50 * ms, 8000 * ms);
  auto s = std::make_shared<stay>(stay{tenure{where, m_fence, patience}, 0, false, m_serial});
  m_stays.push_back(s);
  m_current = s;
  perform(s, s->machine.begin(local()));
  if (m_dice.chance(m_plan.gives_up)) {
    m_time.at(m_time.now() + m_dice.between(ms, 3000 * ms), here([this, s] {
                if (s->machine.at() > tenure::stage::waits) return;
                ++m_history.abandoned;
                perform(s, s->machine.leave(local()));
                after(s);
              }));
  }
}

void party::perform(const std::shared_ptr<stay>& s, request r) {
  if (r.number != 0 && s->watch != 0) m_net.forget(std::exchange(s->watch, 0));
  if (auto* t = std::get_if<transaction>(&r.what)) {
    m_net.commit(tampered(std::move(*t), *s), here([this, s, n = r.number](const transaction_reply& got) {
                   transaction_reply reply = got;
                   if (m_plan.broken == control::unresolved_unknown) take_for_not_done(*s, reply);
                   if (m_plan.broken == control::trusted_read && s->machine.at() == tenure::stage::looks)
                     reply.at = std::max(reply.at, static_cast<revision>(s->machine.token()));
                   perform(s, s->machine.answered(n, reply, local()));
                   after(s);
                 }));
  } else if (auto* w = std::get_if<watch_request>(&r.what)) {
    s->watch = m_net.watch(w->key, w->from, here([this, s, n = r.number](watch_end how) {
                             s->watch = 0;
                             perform(s, s->machine.watch_ended(n, how, local()));
                             after(s);
                           }));
  } else if (auto* p = std::get_if<pause_until>(&r.what)) {
    m_time.at(p->at - m_offset, here([this, s, n = r.number] {
                perform(s, s->machine.pause_over(n, local()));
                after(s);
              }));
  }
}

// "The value was another one; try again."
void party::take_for_not_done(const stay& s, transaction_reply& r) const {
  if (s.machine.at() != tenure::stage::commits || r.how != verdict::unknown) return;
  transaction look;
  look.then = {range{.key = m_names.value()}};
  r = m_server.apply(look);
  r.succeeded = false;
  r.found.insert(r.found.begin(), {key_value{{}, {}, static_cast<revision>(s.machine.token()), 0}});
}

void party::after(const std::shared_ptr<stay>& s) {
  if (s == m_current) {
    switch (s->machine.at()) {
      case tenure::stage::holds:
        if (std::exchange(s->handled, true)) break;
        if (s->machine.last() == tenure::result::none) {
          note_hold(*s);
          m_time.at(m_time.now() + m_dice.between(0, 2 * ms), here([this, s] { commit(s); }));
        } else {
          committed(s);
        }
        break;
      case tenure::stage::leaves:
      case tenure::stage::over:
        if (s->machine.last() != tenure::result::none && !std::exchange(s->handled, true)) {
          committed(s);
        }
        m_current.reset();
        break;
      default: break;
    }
  }
  if (s->machine.at() == tenure::stage::over) {
    if (s->machine.fence() > m_fence) m_fence = s->machine.fence();
    if (s->machine.lease_was_refused()) {
      m_keeper.gone(m_keeper.lease(), local());
      renew();
    } else if (s->machine.ended() == tenure::ending::lost) {
      m_keeper.doubted(m_keeper.lease(), local());
      renew();
    }
    m_stays.remove(s);
  }
  work();
}

void party::note_hold(const stay& s) {
  const auto oldest = m_server.oldest(m_names.queue());
  const auto token = static_cast<revision>(s.machine.token());
  // The key may be gone already; but if it is there it must be the first.
  if (oldest.created != 0 && oldest.created < token)
    m_history.complain("a key is held that is not the oldest");
}

void party::commit(const std::shared_ptr<stay>& s) {
  if (s->machine.at() != tenure::stage::holds) return;
  m_history.elements.emplace(element(), history::fate::pending);
  const key mine = m_left > 1 && m_dice.chance(m_plan.keeps) ? key::is_kept : key::is_given_back;
  s->handled = false;
  perform(s, s->machine.commit(s->machine.state().bytes + element() + ",", mine, local()));
}

void party::committed(const std::shared_ptr<stay>& s) {
  const auto again = [&] {
    if (s->machine.at() != tenure::stage::holds) return;
    m_time.at(m_time.now() + m_dice.between(0, ms), here([this, s] { commit(s); }));
  };
  switch (s->machine.last()) {
    case tenure::result::applied:
      ++m_history.applied;
      m_history.elements[element()] = history::fate::applied;
      next_element();
      return again();
    case tenure::result::unknown:
      ++m_history.unknown;
      m_history.elements[element()] = history::fate::unknown;
      return next_element();
    case tenure::result::stale: ++m_history.stale; return again();
    case tenure::result::refused: return again();
    case tenure::result::lost: ++m_history.lost; return;
    case tenure::result::not_applied: ++m_history.not_applied; return;
    case tenure::result::none: return;
  }
}

transaction party::tampered(transaction t, const stay& s) const {
  const bool changes = s.machine.at() == tenure::stage::commits;
  const bool asks = s.machine.at() == tenure::stage::asks;
  if (m_plan.broken == control::unfenced_put && changes) t.if_all.clear();
  if (m_plan.broken == control::trusted_deadline && changes && m_keeper.is_good(local())) t.if_all.clear();
  if (m_plan.broken == control::no_fence && asks) t.if_all.resize(1);
  return t;
}

}  // namespace cluster_test
