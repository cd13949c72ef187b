// Offers under every schedule: who is offered the lock and leaves, comes late, is destroyed, or is passed meanwhile. Each opens with the
// bug that it would show. (The mutex itself: mutex_model.cpp.)
#include <chrono>
#include <optional>

#include <explore/shared_section.hpp>
#include <explore/verify.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/lock/guarded.hpp>
#include <mortise/lock/mutex.hpp>
#include <support/foreign.hpp>
#include <support/lock_probe.hpp>

namespace {

using namespace std::chrono_literals;
using explore::require;
using explore::scoped_thread;
using mortise::mutex;
using section = explore::shared_section<mutex>;

void let_pass(mortise::nanos d) { mortise::sleep_this_thread_until(mortise::now_ns() + d); }

foreign::coroutine as_coroutine(section& s, foreign::manual_executor& where) {
  const auto hold = co_await s.m.async_lock(&where);
  s.pass();
}

// Adds to `got` if it came in time.
void try_for(section& s, std::chrono::milliseconds d, int& got) {
  if (!s.m.try_lock_for(d)) return;
  s.pass();
  ++got;
  s.m.unlock();
}

void must_be_free(section& s) {
  require(s.m.try_lock(), "nobody holds it in the end");
  s.m.unlock();
}

// One in the middle leaves while the head is offered the lock: the links of its neighbours, or the head's offer, are lost.
EXPLORE(offers, one_in_the_middle_leaves, {.preemptions = 1, .deviations = 1}) {
  section s;
  int got = 0;
  s.m.lock();
  {
    scoped_thread head{"head", [&] { s.lock_and_pass(); }};
    let_pass(10'000);
    scoped_thread timed{"timed", [&] { try_for(s, 2ms, got); }};
    let_pass(10'000);
    scoped_thread tail{"tail", [&] { s.lock_and_pass(); }};
    let_pass(10'000);
    s.m.unlock();
  }
  require(s.passed == 2 + got, "who got it was inside");
  must_be_free(s);
}

// A reserved lock is offered to one whose deadline comes, and by that one to another whose deadline comes: it stays reserved for nobody.
EXPLORE(offers, two_who_time_out_leave_no_reservation, {.preemptions = 1, .deviations = 2}) {
  section s;
  int first = 0, second = 0;
  s.m.lock();
  {
    scoped_thread a{"a", [&] { try_for(s, 4ms, first); }};
    let_pass(10'000);
    scoped_thread b{"b", [&] { try_for(s, 4ms, second); }};
    let_pass(2'000'000);
    s.m.unlock();
  }
  require(s.passed == first + second, "who got it was inside");
  must_be_free(s);
}

// A try that takes a reserved lock past those it is reserved for.
EXPLORE(offers, a_try_does_not_take_what_is_reserved, {.preemptions = 3}) {
  section s;
  s.m.lock();
  scoped_thread waiter{"waiter", [&] { s.lock_and_pass(); }};
  let_pass(2'000'000);
  s.m.unlock();
  s.m.lock();
  let_pass(2'000'000);
  const bool insists = mortise::lock_probe::insists(s.m);
  s.m.unlock();
  if (s.m.try_lock()) {
    if (insists) require(s.passed == 1, "the waiter first");
    s.pass();
    s.m.unlock();
  }
  waiter.join();
  must_be_free(s);
}

// One who was passed because it did not come for 4 ms comes after all: it takes the lock while another has it, or never again.
EXPLORE(offers, one_who_was_passed_comes_after_all, {.deviations = 1}) {
  foreign::manual_executor late;
  section s;
  s.m.lock();
  const auto frame = as_coroutine(s, late);
  scoped_thread behind{"behind", [&] { s.lock_and_pass(); }};
  let_pass(2'000'000);
  s.m.unlock();
  let_pass(5'000'000);  // about when the offer is widened
  late.run_all();
  behind.join();
  while (!frame.done()) {
    late.run_all();
    let_pass(1'000'000);
  }
  require(s.passed == 2, "both came in");
  must_be_free(s);
}

// The warden looks at a lock that is gone: its watched head was destroyed, and the next holder destroyed it (I4).
EXPLORE(offers, a_watched_lock_is_destroyed_by_its_next_holder, {.deviations = 1}) {
  foreign::manual_executor never_runs;
  auto* const s = new section;
  mortise::atomic<bool> alone{false}, destroyed{false};
  s->m.lock();
  auto frame = as_coroutine(*s, never_runs);
  scoped_thread next{"next", [&] {
                       s->m.lock();
                       s->pass();
                       // Else the frame is still in the queue, which its lock has to outlive.
                       const bool last = alone.load(std::memory_order_acquire);
                       s->m.unlock();
                       if (!last) return;
                       delete s;
                       destroyed.store(true, std::memory_order_relaxed);
                     }};
  let_pass(1'000'000);
  s->m.unlock();
  let_pass(1'000'000);
  frame.destroy();
  alone.store(true, std::memory_order_release);
  next.join();
  never_runs.drop_all();
  let_pass(5'000'000);  // the warden's next looks
  if (!destroyed.load(std::memory_order_relaxed)) delete s;
}

// The same where the frame goes while the lock is looked at, and no holder comes after.
EXPLORE(offers, a_watched_queue_that_empties_by_leaving_is_watched_no_more, {.deviations = 1}) {
  foreign::manual_executor never_runs;
  auto* const s = new section;
  s->m.lock();
  auto first = as_coroutine(*s, never_runs);
  auto second = as_coroutine(*s, never_runs);
  let_pass(1'500'000);
  s->m.unlock();
  let_pass(1'900'000);
  second.destroy();
  first.destroy();
  must_be_free(*s);
  delete s;
  never_runs.drop_all();
  let_pass(5'000'000);
}

// Several are offered the lock at once and come in another order than their own: one that comes too early is forgotten.
EXPLORE(offers, a_batch_that_comes_in_another_order_all_comes_in, {.preemptions = 1, .deviations = 1}) {
  foreign::manual_executor slow, quick;
  section s;
  s.m.lock();
  const auto a = as_coroutine(s, slow);
  const auto b = as_coroutine(s, quick);
  const auto c = as_coroutine(s, slow);
  scoped_thread d{"d", [&] { s.lock_and_pass(); }};
  let_pass(2'000'000);
  s.m.unlock();
  scoped_thread other_worker{"worker", [&] { quick.run_all(); }};
  slow.run_all();
  other_worker.join();
  while (!a.done() || !b.done() || !c.done()) {
    slow.run_all();
    quick.run_all();
    let_pass(1'000'000);
  }
  d.join();
  require(s.passed == 4, "all came in");
  must_be_free(s);
}

// A closure throws: the lock stays taken, or others see half of what it did.
EXPLORE(offers, an_update_that_throws_changes_nothing_and_frees_the_lock, {.preemptions = 3}) {
  struct pair {
    int a = 0, b = 0;
  };
  mortise::guarded<pair> value;
  const auto add = [&](bool throws) {
    try {
      value.update([&](pair& p) {
        ++p.a;
        if (throws) throw 1;
        ++p.b;
      });
    } catch (int) {}
  };
  scoped_thread other{"other", [&] {
                        add(true);
                        add(false);
                      }};
  add(false);
  add(true);
  require(value.read([](const pair& p) { return p.a == p.b; }), "all of it or nothing");
  other.join();
  require(value.read([](const pair& p) { return p.a; }) == 2, "two of four");
}

}  // namespace
