// Waits for the mutex that end in more than one way, under every schedule. Each opens with the bug that it would show. (std::stop_token's own
// atomics are not explored, and are no part of a state: hence the many random runs.)
#include <chrono>
#include <stop_token>

#include <explore/shared_section.hpp>
#include <explore/verify.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/lock/mutex.hpp>
#include <support/foreign.hpp>

namespace {

using namespace std::chrono_literals;
using explore::require;
using explore::scoped_thread;
using mortise::mutex;
using mortise::outcome;
using section = explore::shared_section<mutex>;

void let_pass(mortise::nanos d) { mortise::sleep_this_thread_until(mortise::now_ns() + d); }

// A stop request between two moments that the explorer sees; it does not see those of the standard library's.
struct stop_request {
  std::stop_source source;
  mortise::atomic<int> seen{0};
  void operator()() {
    seen.fetch_add(1);
    source.request_stop();
    seen.fetch_add(1);
  }
  std::stop_token token() {
    seen.fetch_add(1);
    return source.get_token();
  }
};

void must_be_free(section& s) {
  require(s.m.try_lock(), "nobody holds it in the end");
  s.m.unlock();
}

// Of a grant, a deadline and a stop request two happen, or none; the lock stays with one who was told otherwise.
EXPLORE(mutex_bounded, a_wait_ends_in_one_way, {.deviations = 2, .random_runs = 10'000}) {
  section s;
  stop_request stop;
  outcome how{};
  s.m.lock();
  scoped_thread waiter{"waiter", [&] {
                         how = s.m.lock_or_stop(stop.token(), 2ms);
                         if (how != outcome::acquired) return;
                         s.pass();
                         s.m.unlock();
                       }};
  scoped_thread stopper{"stopper", [&] { stop(); }};
  s.pass();
  s.m.unlock();
  waiter.join();
  stopper.join();
  require(s.passed == 1 + (how == outcome::acquired), "who got it was inside");
  must_be_free(s);
}

// A stop request that is not heard: the holder waits for who waits for it.
EXPLORE(mutex_bounded, a_stop_request_is_heard, {.preemptions = 3, .random_runs = 10'000}) {
  section s;
  stop_request stop;
  s.m.lock();
  scoped_thread waiter{"waiter",
                       [&] { require(s.m.lock_or_stop(stop.token()) == outcome::stopped, "it is held"); }};
  stop();
  waiter.join();
  s.m.unlock();
  must_be_free(s);
}

// One who is stopped takes the wake that it was given with it.
EXPLORE(mutex_bounded, who_is_stopped_passes_its_wake_on, {.random_runs = 10'000}) {
  section s;
  stop_request stop;
  bool got = false;
  s.m.lock();
  scoped_thread stopped{"stopped", [&] {
                          got = s.m.lock_or_stop(stop.token()) == outcome::acquired;
                          if (!got) return;
                          s.pass();
                          s.m.unlock();
                        }};
  let_pass(10'000);
  scoped_thread patient{"patient", [&] { s.lock_and_pass(); }};
  let_pass(10'000);
  s.m.unlock();
  stop();
  stopped.join();
  patient.join();
  require(s.passed == 1 + got, "who got it was inside");
  must_be_free(s);
}

foreign::coroutine bounded(section& s, foreign::manual_executor& where, std::stop_token stop, outcome& how) {
  auto [ended, hold] = co_await s.m.async_lock_or_stop(stop, 2ms, &where);
  how = ended;
  require(hold.owns_lock() == (how == outcome::acquired), "it owns what it says");
  if (hold.owns_lock()) s.pass();
}

void run_until_done(const foreign::coroutine& c, foreign::manual_executor& where) {
  while (!c.done()) {
    where.run_all();
    let_pass(1'000'000);
  }
}

// A coroutine that is resumed twice or never where unlock, deadline and stop come together.
EXPLORE(mutex_bounded, a_coroutines_wait_ends_in_one_way,
        {.preemptions = 1, .deviations = 1, .random_runs = 5'000}) {
  foreign::manual_executor where;
  section s;
  stop_request stop;
  outcome how{};
  s.m.lock();
  const auto waiting = bounded(s, where, stop.token(), how);
  scoped_thread stopper{"stopper", [&] { stop(); }};
  s.pass();
  s.m.unlock();
  run_until_done(waiting, where);
  stopper.join();
  require(s.passed == 1 + (how == outcome::acquired), "who got it was inside");
  must_be_free(s);
}

// The deadline of a coroutine wakes nobody: the lock is never given back.
EXPLORE(mutex_bounded, a_coroutines_deadline_is_kept, {.preemptions = 3, .deviations = 2}) {
  foreign::manual_executor where;
  section s;
  outcome how{};
  s.m.lock();
  const auto end = mortise::now_ns() + 2'000'000;
  const auto waiting = bounded(s, where, {}, how);
  run_until_done(waiting, where);
  require(how == outcome::timed_out && mortise::now_ns() >= end, "late, not early");
  s.m.unlock();
  must_be_free(s);
}

// A frame is destroyed with its timer armed and its stop callback in place: one of them wakes what is gone.
EXPLORE(mutex_bounded, a_frame_is_destroyed_as_its_wait_ends,
        {.preemptions = 2, .deviations = 1, .random_runs = 5'000}) {
  foreign::manual_executor where;
  section s;
  stop_request stop;
  outcome how{};
  s.m.lock();
  auto waiting = bounded(s, where, stop.token(), how);
  scoped_thread stopper{"stopper", [&] { stop(); }};
  let_pass(1'999'000);
  waiting.destroy();
  s.m.unlock();
  stopper.join();
  must_be_free(s);
  where.drop_all();
  let_pass(2'000'000);  // the timer's thread looks again
}

// Two deadlines in the heap: an earlier one that comes later is slept through, or the later one is forgotten.
EXPLORE(mutex_bounded, an_earlier_deadline_comes_later, {.preemptions = 1, .deviations = 1}) {
  foreign::manual_executor where;
  section s;
  const auto wait = [](section& x, foreign::manual_executor& ex,
                       std::chrono::nanoseconds d) -> foreign::coroutine {
    const auto end = mortise::now_ns() + d.count();
    const auto hold = co_await x.m.async_lock_for(d, &ex);
    require(!hold.owns_lock() && mortise::now_ns() >= end, "late, not early");
  };
  s.m.lock();
  const auto late = wait(s, where, 8ms);
  const auto early = wait(s, where, 2ms);
  run_until_done(early, where);
  run_until_done(late, where);
  s.m.unlock();
}

}  // namespace
