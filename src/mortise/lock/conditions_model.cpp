// Conditions under every schedule: guarded<T>'s, condition_variable and latch. Each opens with the bug that it would show; a wake that is
// lost leaves a sleeper behind when all others have ended.
#include <chrono>
#include <memory>
#include <mutex>

#include <explore/verify.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/lock/condition_variable.hpp>
#include <mortise/lock/guarded.hpp>
#include <mortise/lock/latch.hpp>
#include <support/foreign.hpp>

namespace {

using namespace std::chrono_literals;
using explore::plain;
using explore::require;
using explore::scoped_thread;

void let_pass(mortise::nanos d) { mortise::sleep_this_thread_until(mortise::now_ns() + d); }

// A number of things, and who takes one.
struct store {
  mortise::guarded<plain<int>> things;
  mortise::atomic<int> taken{0};

  void put() {
    things.with([](plain<int>& n) { n = n + 1; });
  }
  static bool some(const plain<int>& n) { return n > 0; }
  static void one_less(plain<int>& n) { n = n - 1; }
  void take() {
    things.with_when(&some, &one_less);
    taken.fetch_add(1, mortise::memory_order_relaxed);
  }
  bool try_take_for(std::chrono::milliseconds d) {
    if (!things.with_when_for(d, &some, &one_less)) return false;
    taken.fetch_add(1, mortise::memory_order_relaxed);
    return true;
  }
  int left() {
    return things.read([](const plain<int>& n) -> int { return n; });
  }
};

foreign::coroutine take(store& s, foreign::manual_executor& where) {
  co_await s.things.async_with_when(&store::some, &store::one_less, &where);
  s.taken.fetch_add(1, mortise::memory_order_relaxed);
}

// A change between the look and the sleep.
EXPLORE(conditions, a_change_is_not_missed, {.preemptions = 3}) {
  store s;
  scoped_thread taker{"taker", [&] { s.take(); }};
  s.put();
  taker.join();
  require(s.left() == 0, "it was taken");
}

// The second is not picked after the first; or both are for one thing, and one of them sleeps on with the next thing there.
EXPLORE(conditions, two_wait_for_one_thing_each, {.preemptions = 2}) {
  store s;
  scoped_thread a{"a", [&] { s.take(); }};
  scoped_thread b{"b", [&] { s.take(); }};
  s.put();
  s.put();
  a.join();
  b.join();
  require(s.left() == 0, "both were taken");
}

// One is picked as its time is over, and takes the thing's wake with it.
EXPLORE(conditions, one_whose_time_is_over_passes_its_turn_on, {.preemptions = 2, .deviations = 1}) {
  store s;
  bool got = false;
  scoped_thread bounded{"bounded", [&] { got = s.try_take_for(1ms); }};
  let_pass(10'000);
  scoped_thread patient{"patient", [&] { s.take(); }};
  let_pass(990'000);
  s.put();
  bounded.join();
  if (got) s.put();
  patient.join();
  require(s.left() == 0, "nothing is left, nothing was made");
}

// Somebody comes in past the one who was picked, and takes the thing: that one must wait on, and be picked again.
EXPLORE(conditions, one_who_was_picked_is_passed, {.preemptions = 2}) {
  store s;
  scoped_thread taker{"taker", [&] { s.take(); }};
  s.put();
  const bool passed = s.things.with([](plain<int>& n) {
    if (n == 0) return false;
    n = n - 1;
    return true;
  });
  if (passed) s.put();
  taker.join();
  require(s.left() == 0, "it was taken once");
}

// A frame that was picked is destroyed before it runs.
EXPLORE(conditions, a_destroyed_frame_passes_its_turn_on, {.preemptions = 2}) {
  store s;
  foreign::manual_executor never_runs;
  auto frame = take(s, never_runs);
  scoped_thread patient{"patient", [&] { s.take(); }};
  scoped_thread puts{"puts", [&] { s.put(); }};
  frame.destroy();
  patient.join();
  puts.join();
  never_runs.run_all();
  require(s.left() == 0, "the patient one took it");
}

struct signal {
  mortise::mutex m;
  mortise::condition_variable changed;
  plain<int> things{0};
  void put_one() {
    {
      const std::lock_guard hold{m};
      things = things + 1;
    }
    changed.notify_one();
  }
  void take() {
    std::unique_lock hold{m};
    changed.wait(hold, [&] { return things > 0; });
    things = things - 1;
  }
};

EXPLORE(condition_variable, a_notification_is_not_missed, {.preemptions = 3}) {
  signal s;
  scoped_thread taker{"taker", [&] { s.take(); }};
  s.put_one();
  taker.join();
}

EXPLORE(condition_variable, two_notifications_wake_two, {.preemptions = 2}) {
  signal s;
  scoped_thread a{"a", [&] { s.take(); }};
  scoped_thread b{"b", [&] { s.take(); }};
  s.put_one();
  s.put_one();
  a.join();
  b.join();
}

// One that gives up has been notified, and says that it was not.
EXPLORE(condition_variable, one_who_gives_up_has_not_eaten_a_notification,
        {.preemptions = 2, .deviations = 1}) {
  signal s;
  scoped_thread bounded{"bounded", [&] {
                          std::unique_lock hold{s.m};
                          if (!s.changed.wait_for(hold, 1ms, [&] { return s.things > 0; })) return;
                          s.things = s.things - 1;
                          hold.unlock();
                          s.put_one();  // for the other
                        }};
  let_pass(10'000);
  scoped_thread patient{"patient", [&] { s.take(); }};
  let_pass(990'000);
  s.put_one();
  bounded.join();
  patient.join();
}

// Who was notified destroys it while the notification is on its way out.
EXPLORE(condition_variable, who_was_notified_may_destroy_it, {.preemptions = 3}) {
  mortise::mutex m;
  plain<int> things{0};
  auto* const changed = new mortise::condition_variable;
  scoped_thread taker{"taker", [&] {
                        std::unique_lock hold{m};
                        changed->wait(hold, [&] { return things > 0; });
                        delete changed;
                      }};
  {
    const std::lock_guard hold{m};
    things = 1;
    changed->notify_all();
  }
  taker.join();
}

EXPLORE(condition_variable, who_was_notified_from_outside_may_destroy_it, {.preemptions = 3}) {
  mortise::mutex m;
  plain<int> things{0};
  auto* const changed = new mortise::condition_variable;
  mortise::atomic<bool> waits{false};
  scoped_thread taker{"taker", [&] {
                        std::unique_lock hold{m};
                        waits.store(true, mortise::memory_order_relaxed);
                        while (things == 0) changed->wait(hold);
                        delete changed;
                      }};
  bool notifies = false;
  {
    const std::lock_guard hold{m};
    things = 1;
    notifies = waits.load(mortise::memory_order_relaxed);
  }
  if (notifies) changed->notify_one();
  taker.join();
}

// A count_down that reaches 0 as somebody queues; it touches the latch when that one has freed it.
EXPLORE(latch, who_waited_may_destroy_it, {.preemptions = 3}) {
  auto* const done = new mortise::latch{2};
  plain<int> written{0};
  scoped_thread a{"a", [&] {
                    written = 1;
                    done->count_down();
                  }};
  done->count_down();
  done->wait();
  require(written == 1, "what was written before is seen");
  delete done;
  a.join();
}

EXPLORE(latch, lets_two_go, {.preemptions = 2}) {
  mortise::latch done{1};
  scoped_thread a{"a", [&] { done.wait(); }};
  scoped_thread b{"b", [&] { static_cast<void>(done.wait_for(1ms)); }};
  done.count_down();
  a.join();
  b.join();
}

}  // namespace
