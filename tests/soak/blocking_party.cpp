// Threads and fibers: they block.
#include "round.hpp"

namespace soak {
namespace {

using std::chrono::microseconds;

class blocking {
 public:
  blocking(round& r, kind k, unsigned party)
      : m_round{r}, m_place{k}, m_dice{r.dice_of(k, party)}, m_books{r.counted}, m_home{r.home_of(party)} {}

  void run() {
    while (!m_round.over()) {
      for (unsigned i = 0; i < m_round.plan.burst; ++i) once(i);
      if (m_dice.one_in(m_round.plan.spice)) something_slow();
    }
  }

 private:
  void once(unsigned i) {
    station& me = *m_place;
    const unsigned n = m_round.choose(m_home, i, m_dice);
    cell& c = the_ledger()[n];
    what how = what::lock;
    bool mine = true;
    switch (i & 15) {
      case 3:
      case 11:
        me.announce(act::try_lock, n);
        how = what::try_lock;
        mine = c.lock().try_lock();
        break;
      case 7:
        me.announce(act::try_lock_for, n);
        how = what::try_lock_for;
        mine = c.lock().try_lock_for(microseconds{m_dice.below(30)});
        break;
      case 15:
        me.announce(act::try_lock_until, n);
        how = what::try_lock_until;
        mine =
            i % 32 == 15
                ? c.lock().try_lock_until(std::chrono::steady_clock::now() + microseconds{m_dice.below(30)})
                : c.lock().try_lock_until(std::chrono::system_clock::now() + microseconds{m_dice.below(30)});
        break;
      default: me.announce(act::lock, n); c.lock().lock();
    }
    if (!mine) {
      ++m_books.counts[how == what::try_lock ? what::refused : what::timeouts];
      return;
    }
    c.enter(me);
    m_books.acquired(n, how);
    c.leave();
    c.lock().unlock();
  }

  void something_slow() {
    station& me = *m_place;
    const unsigned n = m_round.choose_any(m_home, m_dice);
    cell& c = the_ledger()[n];
    switch (m_dice.below(8)) {
      case 0:
      case 1: return sleep_while_holding(n);
      case 2:
      case 3: {
        me.announce(act::stoppable_sleep);
        stoppable_sleep s{m_round, m_dice};
        return s.ended(mortise::sleep_for(s.length, s.stop.get_token()), m_books);
      }
      case 4: {
        me.announce(act::join_a_scope);
        mortise::task_scope scope{m_round.runtime};
        start_children(m_round, scope, m_dice, m_home);
        if (m_dice.one_in(2)) mortise::sleep_for(microseconds{m_dice.below(100)});
        scope.stop_and_join();
        ++m_books.counts[what::scopes_joined];
        return;
      }
      case 5:
      case 6:
        me.announce(act::lock, n);
        c.lock().lock();
        c.enter(me);
        m_books.acquired(n, what::lock);
        return destroy_a_frame(me, m_dice, m_books, n);
      default: me.announce(act::sleep); mortise::sleep_for(microseconds{m_dice.below(300)});
    }
  }

  void sleep_while_holding(unsigned n) {
    station& me = *m_place;
    cell& c = the_ledger()[n];
    me.announce(act::lock, n);
    c.lock().lock();
    c.enter(me);
    m_books.acquired(n, what::lock);
    me.announce(act::sleep_while_holding, n);
    const unsigned long before = os_thread_id();
    if (m_dice.one_in(4)) {
      mortise::yield();
    } else {
      mortise::sleep_for(microseconds{m_dice.below(40)});
    }
    ++m_books.counts[what::slept_while_holding];
    if (os_thread_id() != before) ++m_books.counts[what::migrations];
    c.leave();
    c.lock().unlock();
  }

  round& m_round;
  seat m_place;
  dice m_dice;
  books m_books;
  const unsigned m_home;
};

}  // namespace

void blocking_party(round& r, kind k, unsigned party) { blocking{r, k, party}.run(); }

}  // namespace soak
