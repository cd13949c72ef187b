#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <mortise/lock/condition_variable.hpp>
#include <mortise/lock/mutex.hpp>
#include <support/foreign.hpp>
#include <support/lock_probe.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::lock_probe;
using mortise::outcome;

template <class Cv, class Mutex>
struct pair_of {
  using cv = Cv;
  using mutex = Mutex;
};
// Control: the standard's.
using pairs = testing::Types<pair_of<std::condition_variable_any, std::mutex>,
                             pair_of<mortise::condition_variable, mortise::mutex>,
                             pair_of<mortise::condition_variable, std::mutex>>;

template <class Pair>
struct any_condition_variable : testing::Test {
  typename Pair::cv changed;
  typename Pair::mutex m;
  int value = 0;
};
TYPED_TEST_SUITE(any_condition_variable, pairs);

// The bug: a notification between the unlock and the sleep is lost.
TYPED_TEST(any_condition_variable, notification_is_not_lost_on_the_way_to_sleep) {
  for (int round = 0; round < 1000; ++round) {
    this->value = 0;
    std::jthread sets([&] {
      const std::lock_guard hold{this->m};
      this->value = 1;
      this->changed.notify_one();
    });
    std::unique_lock hold{this->m};
    this->changed.wait(hold, [&] { return this->value == 1; });
    EXPECT_TRUE(hold.owns_lock());
  }
}

TYPED_TEST(any_condition_variable, all_are_notified) {
  constexpr int n = 8;
  int waiting = 0, woken = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < n; ++i) {
    threads.emplace_back([&] {
      std::unique_lock hold{this->m};
      ++waiting;
      this->changed.wait(hold, [&] { return this->value == 1; });
      ++woken;
    });
  }
  for (bool all = false; !all;) {
    std::this_thread::yield();
    const std::lock_guard hold{this->m};
    all = waiting == n;
    if (all) this->value = 1;
  }
  this->changed.notify_all();
  threads.clear();
  EXPECT_EQ(woken, n);
}

TYPED_TEST(any_condition_variable, bounds_end_a_wait) {
  std::unique_lock hold{this->m};
  EXPECT_EQ(this->changed.wait_for(hold, 1ms), std::cv_status::timeout);
  EXPECT_FALSE(this->changed.wait_for(hold, 1ms, [] { return false; }));
  EXPECT_FALSE(this->changed.wait_until(hold, std::chrono::system_clock::now() + 1ms, [] { return false; }));
  EXPECT_TRUE(this->changed.wait_for(hold, 0s, [] { return true; }));
  std::stop_source source;
  std::jthread stops([&] { source.request_stop(); });
  EXPECT_FALSE(this->changed.wait(hold, source.get_token(), [] { return false; }));
  EXPECT_TRUE(hold.owns_lock());
}

// The bug: one of two is told, gives up at that moment, and the other sleeps on.
TYPED_TEST(any_condition_variable, one_who_gives_up_has_not_eaten_a_notification) {
  for (int round = 0; round < 200; ++round) {
    this->value = 0;
    std::jthread patient([&] {
      std::unique_lock hold{this->m};
      this->changed.wait(hold, [&] { return this->value == 1; });
    });
    std::jthread bounded([&] {
      std::unique_lock hold{this->m};
      while (this->value != 1 && this->changed.wait_for(hold, 10us) == std::cv_status::timeout) {}
      const bool notified = this->value == 1;
      hold.unlock();
      if (notified) this->changed.notify_one();  // it may have been for the other
    });
    {
      const std::lock_guard hold{this->m};
      this->value = 1;
    }
    this->changed.notify_one();
    bounded.join();
    this->changed.notify_one();
  }
}

// The bug: one who was notified in time, but had the mutex only after its deadline, says that it timed out: the notification is lost.
TEST(condition_variable, one_who_was_notified_has_not_timed_out) {
  mortise::condition_variable cv;
  mortise::mutex m;
  std::cv_status how = std::cv_status::timeout;
  std::chrono::steady_clock::time_point deadline;
  mortise::atomic<bool> waits{false};
  std::jthread waiter([&] {
    std::unique_lock hold{m};
    deadline = std::chrono::steady_clock::now() + 50ms;
    waits.store(true, mortise::memory_order_relaxed);  // the mutex orders it
    how = cv.wait_until(hold, deadline);
  });
  for (bool there = false; !there;) {
    std::this_thread::yield();
    m.lock();
    there = waits.load(mortise::memory_order_relaxed);
    if (!there) m.unlock();
  }
  cv.notify_one();
  const bool in_time = std::chrono::steady_clock::now() < deadline;
  std::this_thread::sleep_until(deadline + 5ms);
  m.unlock();
  waiter.join();
  if (in_time) EXPECT_EQ(how, std::cv_status::no_timeout);
}

foreign::coroutine wait_once(mortise::condition_variable& cv, mortise::mutex& m, foreign::manual_executor& ex,
                             int& woken) {
  auto hold = co_await m.async_lock(&ex);
  EXPECT_EQ(co_await cv.async_wait(hold, &ex), outcome::acquired);
  EXPECT_TRUE(hold.owns_lock());
  ++woken;
}

// The bug: all are woken at once, and all but one sleep again, on the mutex.
TEST(condition_variable, notified_wait_in_the_queue_of_the_mutex) {
  mortise::condition_variable cv;
  mortise::mutex m;
  foreign::manual_executor ex;
  int woken = 0;
  const auto a = wait_once(cv, m, ex, woken), b = wait_once(cv, m, ex, woken),
             c = wait_once(cv, m, ex, woken);
  m.lock();
  cv.notify_all();
  EXPECT_EQ(lock_probe::waiters(m), 3u);
  EXPECT_TRUE(ex.empty());
  m.unlock();
  while (ex.run_all() != 0) {}
  EXPECT_EQ(woken, 3);
  EXPECT_TRUE(m.try_lock());
  m.unlock();
}

TEST(condition_variable, one_is_notified_at_a_time_and_in_their_order) {
  mortise::condition_variable cv;
  mortise::mutex m;
  foreign::manual_executor first, second;
  int one = 0, two = 0;
  const auto a = wait_once(cv, m, first, one), b = wait_once(cv, m, second, two);
  cv.notify_one();
  EXPECT_TRUE(second.empty());
  first.run_all();
  EXPECT_EQ(one, 1);
  EXPECT_TRUE(second.empty());
  cv.notify_one();
  second.run_all();
  EXPECT_EQ(two, 1);
  cv.notify_one();  // nobody is there
}

// The bug: a frame that was notified is destroyed, and with it the notification.
TEST(condition_variable, one_who_was_notified_and_is_destroyed_passes_it_on) {
  mortise::condition_variable cv;
  mortise::mutex m;
  foreign::manual_executor first, second, third;
  int one = 0, two = 0, three = 0;
  auto a = wait_once(cv, m, first, one), b = wait_once(cv, m, second, two);
  const auto c = wait_once(cv, m, third, three);
  b.destroy();  // was told nothing
  cv.notify_one();
  a.destroy();
  first.run_all();
  EXPECT_EQ(third.run_all(), 1u);
  EXPECT_EQ(three, 1);
}

TEST(condition_variable, coroutines_waits_end_by_their_bounds) {
  mortise::condition_variable cv;
  mortise::mutex m;
  foreign::manual_executor ex;
  std::stop_source source;
  const auto bounded = [](auto& on, auto& of, auto& at, std::stop_token stop, outcome& timed,
                          outcome& stopped) -> foreign::coroutine {
    auto hold = co_await of.async_lock(&at);
    timed = co_await on.async_wait_for(hold, 1ms, &at);
    stopped = co_await on.async_wait_or_stop(hold, stop, &at);
    EXPECT_EQ(co_await on.async_wait_until(hold, std::chrono::steady_clock::now() + 1ms, &at),
              outcome::timed_out);
    EXPECT_TRUE(hold.owns_lock());
  };
  outcome timed = outcome::acquired, stopped = outcome::acquired;
  const auto a = bounded(cv, m, ex, source.get_token(), timed, stopped);
  while (timed == outcome::acquired) ex.run_all();
  source.request_stop();
  while (!a.done()) ex.run_all();
  EXPECT_EQ(timed, outcome::timed_out);
  EXPECT_EQ(stopped, outcome::stopped);
}

// The bug: who waits with another mutex is moved to the first one's, which it never unlocks.
TEST(condition_variable, two_mutexes_do_not_get_mixed_up) {
  mortise::condition_variable cv;
  mortise::mutex left, right;
  foreign::manual_executor ex;
  int woken = 0;
  const auto a = wait_once(cv, left, ex, woken), b = wait_once(cv, right, ex, woken);
  right.lock();
  cv.notify_all();
  while (ex.run_all() != 0) {}
  EXPECT_EQ(woken, 1);
  right.unlock();
  while (ex.run_all() != 0) {}
  EXPECT_EQ(woken, 2);
}

}  // namespace
