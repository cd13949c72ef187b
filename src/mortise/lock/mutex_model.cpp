// The mutex under every schedule: OS threads on their futex, and coroutines that are no tasks of ours, through a ticket and the fallback
// executor. (Fibers and tasks: tests/explore/kinds_model.cpp.) Each opens with the bug that it would show.
#include <mortise/lock/mutex.hpp>

#include <chrono>
#include <coroutine>
#include <memory>
#include <mutex>

#include <explore/shared_section.hpp>
#include <explore/verify.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/os_thread.hpp>
#include <support/foreign.hpp>
#include <support/lock_probe.hpp>

namespace {

using namespace std::chrono_literals;
using explore::require;
using explore::scoped_thread;
using mortise::mutex;
using section = explore::shared_section<mutex>;

foreign::detached as_coroutine(section& s) {
  const auto hold = co_await s.m.async_lock();
  s.pass();
}

// Two inside at once; a wake that is lost leaves a sleeper behind when all others have ended.
EXPLORE(mutex, two_threads, {.preemptions = 3, .deviations = 2}) {
  section s;
  scoped_thread a{"a", [&] { s.lock_and_pass(); }};
  s.lock_and_pass();
  a.join();
  require(s.passed == 2, "both came through");
}

EXPLORE(mutex, three_threads, {.preemptions = 3}) {
  section s;
  scoped_thread a{"a", [&] { s.lock_and_pass(); }};
  scoped_thread b{"b", [&] { s.lock_and_pass(); }};
  s.lock_and_pass();
  a.join();
  b.join();
  require(s.passed == 3, "all came through");
}

// One who comes again while others wait: a wake that is spent on a lock that was taken past it.
EXPLORE(mutex, one_who_comes_again, {.preemptions = 3}) {
  section s;
  scoped_thread a{"a", [&] {
                    s.lock_and_pass();
                    s.lock_and_pass();
                  }};
  s.lock_and_pass();
  s.lock_and_pass();
  a.join();
  require(s.passed == 4, "all came through");
}

// A try that blocks, or that holds what it says it does not.
EXPLORE(mutex, a_try_is_told_the_truth, {.preemptions = 3}) {
  section s;
  int got = 0;
  scoped_thread a{"a", [&] {
                    if (!s.m.try_lock()) return;
                    s.pass();
                    ++got;
                    s.m.unlock();
                  }};
  s.lock_and_pass();
  a.join();
  require(s.passed == 1 + got, "what was got was held");
}

// A waiter whose deadline comes just as it is woken takes the wake with it.
EXPLORE(mutex, timed_out_waiter_passes_its_wake_on, {.deviations = 2}) {
  section s;
  bool got = false;
  s.m.lock();
  scoped_thread timed{"timed", [&] {
                        got = s.m.try_lock_for(2ms);
                        if (!got) return;
                        s.pass();
                        s.m.unlock();
                      }};
  scoped_thread patient{"patient", [&] { s.lock_and_pass(); }};
  s.pass();
  s.m.unlock();
  timed.join();
  patient.join();
  require(s.passed == 2 + got, "who got it was inside");
  require(s.m.try_lock(), "nobody holds it in the end");
  s.m.unlock();
}

// A deadline that ends a wait early, or never.
EXPLORE(mutex, a_deadline_is_kept, {.deviations = 2}) {
  section s;
  s.m.lock();
  scoped_thread timed{"timed", [&] {
                        const auto end = mortise::now_ns() + 2'000'000;
                        if (s.m.try_lock_for(2ms)) {
                          s.pass();
                          s.m.unlock();
                        } else {
                          require(mortise::now_ns() >= end, "not early");
                        }
                      }};
  timed.join();
  s.m.unlock();
}

// An unlock that touches the mutex after the next holder may have destroyed it.
EXPLORE(mutex, the_next_holder_destroys_it, {.preemptions = 3, .deviations = 2}) {
  auto* const s = new section;
  mortise::atomic<int> users{2};
  const auto use = [s, &users] {
    s->m.lock();
    s->pass();
    // relaxed: under the lock
    const bool last = users.fetch_sub(1, std::memory_order_relaxed) == 1;
    s->m.unlock();
    if (last) delete s;
  };
  scoped_thread a{"a", use};
  use();
  a.join();
}

EXPLORE(mutex, the_last_of_three_destroys_it, {.preemptions = 2}) {
  auto* const s = new section;
  mortise::atomic<int> users{3};
  const auto use = [s, &users] {
    s->m.lock();
    s->pass();
    const bool last = users.fetch_sub(1, std::memory_order_relaxed) == 1;
    s->m.unlock();
    if (last) delete s;
  };
  scoped_thread a{"a", use};
  scoped_thread b{"b", use};
  use();
  a.join();
  b.join();
}

// Unlocks and locks again, so that who has waited may come and find the lock taken: from then on it insists. The caller holds it.
bool made_to_insist(mutex& m) {
  mortise::sleep_this_thread_until(mortise::now_ns() + 2'000'000);
  m.unlock();
  m.lock();
  mortise::sleep_this_thread_until(mortise::now_ns() + 2'000'000);
  return mortise::lock_probe::insists(m);
}

// Barging past one who has waited for a millisecond and insists; a later waiter served before an earlier one.
EXPLORE(mutex, first_come_first_served_after_a_millisecond, {.deviations = 1}) {
  mutex m;
  mortise::plain<int> turn{0};
  int first = 0, barger = 0;
  m.lock();
  scoped_thread waiter{"waiter", [&] {
                         const std::lock_guard hold{m};
                         first = turn = turn + 1;
                       }};
  const bool insists = made_to_insist(m);
  scoped_thread late{"late", [&] {
                       const std::lock_guard hold{m};
                       barger = turn = turn + 1;
                     }};
  m.unlock();
  waiter.join();
  late.join();
  if (insists) require(first == 1 && barger == 2, "who has waited for a millisecond is next");
}

// Two who wait in earnest are served in their order.
EXPLORE(mutex, two_who_waited_are_served_in_their_order, {.deviations = 1}) {
  mutex m;
  mortise::plain<int> turn{0};
  int first = 0, second = 0;
  m.lock();
  scoped_thread a{"a", [&] {
                    const std::lock_guard hold{m};
                    first = turn = turn + 1;
                  }};
  const bool insists = made_to_insist(m);
  scoped_thread b{"b", [&] {
                    const std::lock_guard hold{m};
                    second = turn = turn + 1;
                  }};
  mortise::sleep_this_thread_until(mortise::now_ns() + 2'000'000);
  m.unlock();
  a.join();
  b.join();
  if (insists) require(first == 1 && second == 2, "in their order");
}

// Unlocks that owe nothing, since a wake is in flight, go by sequence in the end: who comes announces itself to them again.
EXPLORE(mutex, one_takes_it_over_and_over_while_another_comes) {
  section s;
  s.m.lock();
  scoped_thread waiter{"waiter", [&] { s.lock_and_pass(); }};
  mortise::sleep_this_thread_until(mortise::now_ns() + 1'000);
  for (int i = 0; i < 4; ++i) {
    s.pass();
    s.m.unlock();
    s.m.lock();
  }
  s.m.unlock();
  waiter.join();
  require(s.passed == 5, "all came through");
}
EXPLORE(mutex, one_takes_it_over_and_over_while_two_come, {.deviations = 0}) {
  section s;
  s.m.lock();
  scoped_thread a{"a", [&] { s.lock_and_pass(); }};
  scoped_thread b{"b", [&] { s.lock_and_pass(); }};
  mortise::sleep_this_thread_until(mortise::now_ns() + 1'000);
  for (int i = 0; i < 3; ++i) {
    s.pass();
    s.m.unlock();
    s.m.lock();
  }
  s.m.unlock();
  a.join();
  b.join();
  require(s.passed == 5, "all came through");
}

// A coroutine that is resumed twice, or never, or inside the unlock.
EXPLORE(mutex, a_foreign_coroutine_and_a_thread, {.deviations = 1}) {
  section s;
  s.m.lock();
  as_coroutine(s);
  s.pass();
  s.m.unlock();
  s.lock_and_pass();
  while (true) {
    const std::lock_guard hold{s.m};
    if (s.passed == 3) break;
    mortise::sleep_this_thread_until(mortise::now_ns() + 1'000'000);
  }
}

// The lock is offered to one who never runs: nobody behind may hang with it.
EXPLORE(mutex, an_offer_that_nobody_takes_up_is_widened, {.deviations = 1}) {
  foreign::manual_executor stopped;
  section s;
  s.m.lock();
  const auto frame = [](section& x, foreign::manual_executor& where) -> foreign::coroutine {
    const auto hold = co_await x.m.async_lock(&where);
    x.pass();
  }(s, stopped);
  scoped_thread behind{"behind", [&] { s.lock_and_pass(); }};
  mortise::sleep_this_thread_until(mortise::now_ns() + 2'000'000);  // both are overdue now, if they wait
  s.m.unlock();
  behind.join();
  require(s.passed == 1, "the thread came in");
  stopped.drop_all();
}

// A frame that is destroyed while it waits keeps its place, or the wake that it was given.
EXPLORE(mutex, a_destroyed_frame_passes_its_wake_on, {.deviations = 1}) {
  foreign::manual_executor elsewhere;
  section s;
  s.m.lock();
  auto frame = [](section& x, foreign::manual_executor& where) -> foreign::coroutine {
    const auto hold = co_await x.m.async_lock(&where);
    x.pass();
  }(s, elsewhere);
  scoped_thread behind{"behind", [&] { s.lock_and_pass(); }};
  s.m.unlock();
  frame.destroy();
  behind.join();
  require(s.passed == 1, "the thread came in");
  elsewhere.drop_all();
}

// The executor ends without having run the job of one who was offered the lock.
EXPLORE(mutex, a_dropped_job_passes_its_wake_on, {.deviations = 1}) {
  foreign::manual_executor ending;
  section s;
  s.m.lock();
  const auto frame = [](section& x, foreign::manual_executor& where) -> foreign::coroutine {
    const auto hold = co_await x.m.async_lock(&where);
    x.pass();
  }(s, ending);
  scoped_thread behind{"behind", [&] { s.lock_and_pass(); }};
  s.m.unlock();
  ending.drop_all();
  behind.join();
  require(s.passed == 1, "the thread came in");
  ending.drop_all();
}

// Misuse that every build names.
EXPLORE_FAULT(mutex, an_unlock_too_many_is_named, "unlock of the mutex at .*, which is not locked") {
  mutex m;
  scoped_thread a{"a", [&] {
                    m.lock();
                    m.unlock();
                    m.unlock();
                  }};
  a.join();
}

// Controls: what the explorer would say of locks that do not hold.
struct no_lock {
  void lock() {}
  void unlock() {}
};
EXPLORE_FAULT(controls, no_lock_lets_two_in, "data race|one holder") {
  explore::shared_section<no_lock> s;
  scoped_thread a{"a", [&] { s.lock_and_pass(); }};
  s.lock_and_pass();
  a.join();
}

// The same word without orderings: exclusion holds, but the next one need not see what the last one wrote.
struct relaxed_lock {
  mortise::atomic<int> taken{0};
  void lock() {
    while (taken.exchange(1, std::memory_order_relaxed) != 0) explore::await_change();
  }
  void unlock() { taken.store(0, std::memory_order_relaxed); }
};
EXPLORE_FAULT(controls, a_lock_without_orderings_is_a_race, "data race") {
  explore::shared_section<relaxed_lock> s;
  scoped_thread a{"a", [&] { s.lock_and_pass(); }};
  s.lock_and_pass();
  a.join();
}

// The control of the control: std::mutex's place is taken by the explorer's own.
EXPLORE(controls, an_os_mutex_holds, {.preemptions = 3}) {
  explore::shared_section<mortise::os_mutex> s;
  scoped_thread a{"a", [&] { s.lock_and_pass(); }};
  scoped_thread b{"b", [&] { s.lock_and_pass(); }};
  s.lock_and_pass();
  a.join();
  b.join();
  require(s.passed == 3, "all came through");
}

}  // namespace
