// What parties of several kinds do between their bursts.
#include <unistd.h>

#include "round.hpp"

namespace soak {
namespace {

foreign::coroutine wait_in_vain(cell& c, unsigned n, station& maker, books& b) {
  auto operation = c.lock().async_lock(&maker.jobs());
  maker.made(&operation);
  const auto hold = co_await operation;
  c.enter(maker);
  b.acquired(n, what::async_lock_of_a_foreigner);
  c.leave();
}

mortise::task<> wait_in_a_task(cell& c, unsigned n, station& maker, books& b) {
  auto operation = c.lock().async_lock(&maker.jobs());
  maker.made(&operation);
  const auto hold = co_await operation;
  c.enter(maker);
  b.acquired(n, what::async_lock_of_a_foreigner);
  c.leave();
}

// The frame that waits belongs to another frame, and goes with it.
foreign::coroutine wait_inside(cell& c, unsigned n, station& maker, books& b) {
  co_await wait_in_a_task(c, n, maker, b);
}

}  // namespace

void destroy_a_frame(station& me, dice& d, books& b, unsigned n) {
  cell& c = the_ledger()[n];
  me.announce(act::destroy_a_frame, n);
  const unsigned how = d.below(5);
  foreign::coroutine waiting = d.one_in(2) ? wait_in_vain(c, n, me, b) : wait_inside(c, n, me, b);
  if (how == 0) {
    waiting.destroy();
    ++b.counts[what::frames_destroyed_in_the_queue];
    c.leave();
    c.lock().unlock();
  } else {
    c.leave();
    c.lock().unlock();
    if (how == 2) me.jobs().drop_all();  // the offer goes with the job
    if (how >= 3) me.jobs().run_all();   // it may have come to its lock after all
    if (!waiting.done()) ++b.counts[what::frames_destroyed_when_offered];
    waiting.destroy();
  }
  me.made(nullptr);
  me.jobs().run_all();
}

stoppable_sleep::stoppable_sleep(round& r, dice& d) : length{d.below(200)} {
  const std::chrono::microseconds until_stop{d.below(200)};
  mortise::go(r.runtime, [source = stop, until_stop]() mutable {
    mortise::sleep_for(until_stop);
    source.request_stop();
  });
  began = std::chrono::steady_clock::now();
}

void stoppable_sleep::ended(bool in_full, books& b) const {
  const auto took = std::chrono::steady_clock::now() - began;
  ++b.counts[in_full ? what::slept_in_full : what::stops];
  if (in_full && took < length) {
    the_ledger().fail("early: a sleep of %lld us ended after %lld ns", static_cast<long long>(length.count()),
                      static_cast<long long>(std::chrono::nanoseconds(took).count()));
  }
  if (!in_full && !stop.stop_requested()) {
    the_ledger().fail("stopped by nobody: a sleep of %lld us", static_cast<long long>(length.count()));
  }
}

void start_children(round& r, mortise::task_scope& scope, dice& d, unsigned home) {
  const unsigned n = d.between(1, 4);
  for (unsigned i = 0; i < n; ++i) {
    const unsigned c = r.choose_any(home, d);
    if (d.one_in(2)) {
      scope.go([&r, c](std::stop_token stop) {
        const seat place{kind::fiber};
        books b{r.counted};
        do {
          (*place).announce(act::lock, c);
          const std::lock_guard hold{the_ledger()[c].lock()};
          the_ledger()[c].enter(*place);
          b.acquired(c, what::lock);
          the_ledger()[c].leave();
        } while (mortise::sleep_for(std::chrono::microseconds{20}, stop));
      });
    } else {
      scope.go([&r, c](std::stop_token stop) -> mortise::task<> {
        const seat place{kind::task};
        books b{r.counted};
        for (bool on = true; on;) {
          (*place).announce(act::async_lock, c);
          {
            const auto hold = co_await the_ledger()[c].lock().async_lock();
            the_ledger()[c].enter(*place);
            b.acquired(c, what::async_lock_in_a_task);
            the_ledger()[c].leave();
          }
          (*place).announce(act::stoppable_sleep);
          on = co_await mortise::async_sleep_for(std::chrono::microseconds{20}, stop);
        }
      });
    }
  }
}

unsigned long os_thread_id() noexcept { return static_cast<unsigned long>(::gettid()); }

}  // namespace soak
