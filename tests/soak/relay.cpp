// Mutexes that are destroyed by whoever is the last to use them.
#include "round.hpp"

namespace soak {

void relay::start() { start_generation(); }

// Nobody uses the mutex: it is new, or all who were to come have been.
void relay::start_generation() {
  m_left = tasks + 1;
  const std::uint32_t now = m_generation.load(std::memory_order_relaxed) + 1;  // only we change it
  m_seed = dice{m_round.plan.seed ^ now}.roll();
  for (unsigned i = 0; i < tasks; ++i) m_round.unjoined.enter();
  for (unsigned i = 0; i < tasks; i += 3) {
    mortise::go(m_round.runtime, [this, i] { member(kind::fiber, i); });
    mortise::go(m_round.runtime, [this, i]() -> mortise::task<> { return async_member(i + 1); });
    foreign_member(i + 2);
  }
  // release: the new mutex is seen by the thread that waits for it
  m_generation.store(now, std::memory_order_release);
  m_generation.notify_all();
}

bool relay::visit(station& me) {
  cell& c = the_ledger()[m_cell];
  c.enter(me);
  // The last one waits in the queue then: the mutex goes while our unlock, which woke it, is on its way out.
  if (m_left == 2 || m_left == 5) mortise::sleep_for(std::chrono::microseconds{20});
  const bool last = --m_left == 0;
  c.leave();
  return last;
}

void relay::renew(station& me, books& b) {
  me.announce(act::renew_a_mutex, m_cell);
  the_ledger()[m_cell].renew();
  ++b.counts[what::renewals];
  if (!m_round.over()) return start_generation();
  m_generation.store(closed, std::memory_order_release);
  m_generation.notify_all();
}

// By one of the blocking ways; whoever times out comes again.
void relay::take(station& me, dice& d, books& b) {
  mortise::mutex& m = the_ledger()[m_cell].lock();
  if (d.one_in(2)) {
    me.announce(act::lock, m_cell);
    m.lock();
    return b.acquired(m_cell, what::lock);
  }
  for (;;) {
    me.announce(act::try_lock_for, m_cell);
    if (m.try_lock_for(std::chrono::microseconds{d.below(20)})) return b.acquired(m_cell, what::try_lock_for);
    ++b.counts[what::timeouts];
  }
}

void relay::member(kind k, unsigned n) {
  crowd& unjoined = m_round.unjoined;
  {
    const seat place{k};
    dice d{m_seed + n};
    books b{m_round.counted};
    take(*place, d, b);
    const bool last = visit(*place);
    the_ledger()[m_cell].lock().unlock();
    if (last) renew(*place, b);
  }
  unjoined.leave();
}

mortise::task<> relay::async_member(unsigned) {
  crowd& unjoined = m_round.unjoined;
  {
    const seat place{kind::task};
    books b{m_round.counted};
    bool last = false;
    (*place).announce(act::async_lock, m_cell);
    {
      auto operation = the_ledger()[m_cell].lock().async_lock();
      (*place).waits_in(&operation);
      const auto hold = co_await operation;
      b.acquired(m_cell, what::async_lock_in_a_task);
      last = visit(*place);
    }
    if (last) renew(*place, b);
  }
  unjoined.leave();
}

foreign::detached relay::foreign_member(unsigned) {
  crowd& unjoined = m_round.unjoined;
  co_await m_round.loop.change();
  {
    const seat place{kind::foreign};
    books b{m_round.counted};
    bool last = false;
    (*place).announce(act::async_lock, m_cell);
    {
      auto operation = the_ledger()[m_cell].lock().async_lock(&m_round.loop);
      (*place).waits_in(&operation);
      const auto hold = co_await operation;
      b.acquired(m_cell, what::async_lock_of_a_foreigner);
      last = visit(*place);
    }
    if (last) renew(*place, b);
  }
  unjoined.leave();
}

void relay::thread_party() {
  const seat place{kind::thread};
  books b{m_round.counted};
  dice d{m_round.plan.seed};
  for (std::uint32_t seen = 0;;) {
    (*place).announce(act::wait_for_a_generation, m_cell);
    m_generation.wait(seen, std::memory_order_acquire);
    seen = m_generation.load(std::memory_order_acquire);
    if (seen == closed) return;
    take(*place, d, b);
    const bool last = visit(*place);
    the_ledger()[m_cell].lock().unlock();
    if (last) renew(*place, b);
  }
}

}  // namespace soak
