// Coroutines: tasks of our runtime, and foreign ones, which live on a loop of their own. One text for both.
#include <type_traits>

#include "round.hpp"

namespace soak {
namespace {

using std::chrono::microseconds;

template <class Coroutine>
inline constexpr bool is_foreign = std::is_same_v<Coroutine, foreign::detached>;

struct async_state {
  async_state(round& r, kind k, unsigned party)
      : place{k}, d{r.dice_of(k, party)}, b{r.counted}, home{r.home_of(party)} {}
  seat place;
  dice d;
  books b;
  const unsigned home;
};

// One that does not suspend to wait; a bounded wait blocks in the middle of a step.
void bounded(async_state& s, unsigned n, what how) {
  cell& c = the_ledger()[n];
  station& me = *s.place;
  me.announce(how == what::try_lock ? act::try_lock : act::try_lock_for, n);
  const bool mine =
      how == what::try_lock ? c.lock().try_lock() : c.lock().try_lock_for(microseconds{s.d.below(50)});
  if (!mine) {
    ++s.b.counts[how == what::try_lock ? what::refused : what::timeouts];
    return;
  }
  c.enter(me);
  s.b.acquired(n, how);
  c.leave();
  c.lock().unlock();
}

template <class Coroutine>
Coroutine async_party(round& r, unsigned party) {
  constexpr bool from_elsewhere = is_foreign<Coroutine>;
  constexpr what how = from_elsewhere ? what::async_lock_of_a_foreigner : what::async_lock_in_a_task;
  mortise::wait::executor* const where = from_elsewhere ? &r.loop : nullptr;
  if constexpr (from_elsewhere) co_await r.loop.change();
  {
    async_state s{r, from_elsewhere ? kind::foreign : kind::task, party};
    station& me = *s.place;
    while (!r.over()) {
      for (unsigned i = 0; i < r.plan.burst; ++i) {
        const unsigned n = r.choose(s.home, i, s.d);
        if ((i & 15) == 3) {
          bounded(s, n, what::try_lock);
        } else if ((i & 63) == 7) {
          bounded(s, n, what::try_lock_for);
        } else {
          cell& c = the_ledger()[n];
          me.announce(act::async_lock, n);
          auto operation = c.lock().async_lock(where);
          me.waits_in(&operation);
          const auto hold = co_await operation;
          c.enter(me);
          s.b.acquired(n, how);
          c.leave();
        }
      }
      const unsigned slow = s.d.one_in(r.plan.spice) ? s.d.below(8) : 8;
      const unsigned n = r.choose_any(s.home, s.d);
      cell& c = the_ledger()[n];
      if (slow < 2 || slow == 5 || slow == 6) {
        me.announce(act::async_lock, n);
        // null for a foreigner, too: it goes on in the library's own thread then
        auto operation = c.lock().async_lock(slow == 1 ? nullptr : where);
        me.waits_in(&operation);
        auto hold = co_await operation;
        c.enter(me);
        s.b.acquired(n, how);
        if (slow < 2) {
          me.announce(act::sleep_while_holding, n);
          const unsigned long before = os_thread_id();
          co_await mortise::async_sleep_for(microseconds{s.d.below(40)});
          ++s.b.counts[what::slept_while_holding];
          if (os_thread_id() != before) ++s.b.counts[what::migrations];
          c.leave();
        } else {
          hold.release();
          destroy_a_frame(me, s.d, s.b, n);
        }
      } else if (slow < 4) {
        me.announce(act::stoppable_sleep);
        stoppable_sleep nap{r, s.d};
        nap.ended(co_await mortise::async_sleep_for(nap.length, nap.stop.get_token()), s.b);
      } else if (slow == 4) {
        me.announce(act::join_a_scope);
        mortise::task_scope scope{r.runtime};
        start_children(r, scope, s.d, s.home);
        if (s.d.one_in(2)) co_await mortise::async_sleep_for(microseconds{s.d.below(100)});
        scope.request_stop();
        co_await scope.async_join();
        ++s.b.counts[what::scopes_joined];
      } else if (slow == 7) {
        me.announce(act::sleep);
        co_await mortise::async_sleep_for(microseconds{s.d.below(300)});
      }
      if constexpr (from_elsewhere) {
        me.announce(act::change_threads);
        co_await r.loop.change();
      }
    }
  }
  if constexpr (from_elsewhere) r.unjoined.leave();
}

}  // namespace

mortise::task<> task_party(round& r, unsigned party) { return async_party<mortise::task<>>(r, party); }

void start_foreign_party(round& r, unsigned party) {
  r.unjoined.enter();
  async_party<foreign::detached>(r, party);
}

}  // namespace soak
