// Conditional critical sections: who goes on, when, in which order, and what becomes of those who do not.
#include <gtest/gtest.h>

#include <deque>
#include <stdexcept>
#include <thread>
#include <vector>

#include <mortise/lock/guarded.hpp>
#include <support/foreign.hpp>
#include <support/lock_probe.hpp>
#include <support/told.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::outcome;
using numbers = std::deque<int>;

constexpr auto not_empty = [](const numbers& n) { return !n.empty(); };
constexpr auto is_one = [](const int& x) { return x == 1; };
constexpr auto take_first = [](numbers& n) {
  const int first = n.front();
  n.pop_front();
  return first;
};

void put(mortise::guarded<numbers>& g, int value) {
  g.with([value](numbers& n) { n.push_back(value); });
}

foreign::coroutine take(mortise::guarded<numbers>& g, foreign::manual_executor& ex, std::vector<int>& got) {
  got.push_back(co_await g.async_with_when(not_empty, take_first, &ex));
}

foreign::coroutine wait_for_value(mortise::guarded<int>& g, int wanted, foreign::manual_executor& ex,
                                  int& done) {
  co_await g.async_wait([wanted](const int& x) { return x == wanted; }, &ex);
  ++done;
}

// The bug: the closure runs although the condition does not hold, or never.
TEST(conditions, closure_runs_once_the_condition_holds) {
  mortise::guarded<numbers> g;
  std::jthread later([&] { put(g, 7); });
  EXPECT_EQ(g.with_when(not_empty, take_first), 7);
  EXPECT_TRUE(g.read([](const numbers& n) { return n.empty(); }));
}

TEST(conditions, one_that_holds_already_is_not_waited_for) {
  mortise::guarded<numbers> g;
  put(g, 1);
  EXPECT_EQ(g.with_when(not_empty, take_first), 1);
  put(g, 2);
  EXPECT_EQ(*g.with_when_for(0s, not_empty, take_first).value, 2);
}

// The bug: everybody is woken by every change, and most go back to sleep.
TEST(conditions, change_wakes_whom_it_concerns) {
  mortise::guarded<int> g{0};
  foreign::manual_executor first, second, third;
  int done = 0;
  const auto a = wait_for_value(g, 1, first, done), b = wait_for_value(g, 2, second, done),
             c = wait_for_value(g, 3, third, done);
  g.with([](int& x) { x = 2; });
  EXPECT_TRUE(first.empty());
  EXPECT_FALSE(second.empty());
  EXPECT_TRUE(third.empty());
  EXPECT_EQ(second.run_all(), 1u);
  EXPECT_TRUE(b.done());
  g.with([](int& x) { x = 3; });
  EXPECT_TRUE(first.empty());
  third.run_all();
  g.with([](int& x) { x = 1; });
  first.run_all();
  EXPECT_EQ(done, 3);
}

// The bugs: a second one is picked for what the first will take; the next is not picked once it has.
TEST(conditions, they_have_their_turn_in_their_order_and_one_by_one) {
  for (bool in_time = false; !in_time;) {
    mortise::guarded<numbers> g;
    foreign::manual_executor first, second, third;
    std::vector<int> got;
    const auto a = take(g, first, got), b = take(g, second, got), c = take(g, third, got);
    const told those;
    g.with([](numbers& n) { n = {1, 2}; });
    EXPECT_FALSE(first.empty());
    EXPECT_TRUE(second.empty());
    g.with([](numbers&) {});  // holds for the second, too; but the first is on its way
    const bool two_for_one = !second.empty();
    first.run_all();
    EXPECT_FALSE(second.empty());
    second.run_all();
    const bool one_too_many = !third.empty();
    in_time = those.are_waited_for();
    if (in_time) EXPECT_FALSE(two_for_one || one_too_many);
    EXPECT_EQ(got, (std::vector<int>{1, 2}));
    put(g, 3);
    third.run_all();
    EXPECT_EQ(got, (std::vector<int>{1, 2, 3}));
  }
}

// The bug: one who was told goes on although the condition does not hold any more, or is forgotten.
TEST(conditions, one_who_comes_too_late_waits_on_in_its_place) {
  mortise::guarded<numbers> g;
  foreign::manual_executor first, second;
  std::vector<int> got;
  const auto a = take(g, first, got), b = take(g, second, got);
  put(g, 1);
  EXPECT_EQ(g.with(take_first), 1);  // past the one who was told
  EXPECT_EQ(first.run_all(), 1u);
  EXPECT_FALSE(a.done());
  EXPECT_TRUE(second.empty());
  put(g, 2);
  EXPECT_TRUE(second.empty());  // still the first one's turn
  first.run_all();
  EXPECT_TRUE(a.done());
  put(g, 3);
  second.run_all();
  EXPECT_EQ(got, (std::vector<int>{2, 3}));
}

// The bug: the one that unlocks gets an exception that is none of its business, or nobody does.
TEST(conditions, exception_of_a_condition_comes_out_where_it_was_waited) {
  mortise::guarded<int> g{0};
  bool thrown = false;
  std::jthread waiter([&] {
    try {
      g.wait([](const int& x) { return x == 1 ? throw std::runtime_error("from the condition") : false; });
    } catch (const std::runtime_error&) {
      thrown = true;
    }
  });
  while (mortise::lock_probe::conditions(g) != 1) std::this_thread::yield();
  EXPECT_NO_THROW(g.with([](int& x) { x = 1; }));
  waiter.join();
  EXPECT_TRUE(thrown);
  g.with([](int& x) { x = 2; });  // the lock was freed
}

TEST(conditions, exception_of_a_closure_frees_the_lock_and_undoes_an_update) {
  mortise::guarded<int> g{1};
  const auto always = [](const int&) { return true; };
  const auto half = [](int& x) {
    x = 5;
    throw std::runtime_error("in the middle");
  };
  EXPECT_THROW(g.update_when(always, half), std::runtime_error);
  EXPECT_EQ(g.read([](const int& x) { return x; }), 1);
  EXPECT_THROW(g.with_when(always, half), std::runtime_error);
  EXPECT_EQ(g.read([](const int& x) { return x; }), 5);
}

// The bug: one whose bound has come stays listed, and its condition is evaluated when its frame is gone.
TEST(conditions, bounds_end_a_wait_and_leave_nothing) {
  mortise::guarded<int> g{0};
  const auto never = [](const int&) { return false; };
  int ran = 0;
  EXPECT_FALSE(g.wait_for(1ms, never));
  EXPECT_FALSE(g.wait_until(std::chrono::steady_clock::now() + 1ms, never));
  EXPECT_EQ(g.with_when_for(1ms, never, [&](int&) { ++ran; }).how, outcome::timed_out);
  std::stop_source source;
  std::jthread stops([&] { source.request_stop(); });
  EXPECT_EQ(g.wait_or_stop(source.get_token(), never), outcome::stopped);
  EXPECT_EQ(g.update_when_or_stop(source.get_token(), never, [&](int&) { return ++ran; }).how,
            outcome::stopped);
  EXPECT_EQ(g.wait_or_stop({}, 1ms, never), outcome::timed_out);
  EXPECT_EQ(g.wait_or_stop(source.get_token(), 1h, never), outcome::stopped);
  EXPECT_EQ(g.with_when_or_stop({}, 1ms, never, [&](int&) { ++ran; }).how, outcome::timed_out);
  EXPECT_EQ(g.update_when_or_stop(source.get_token(), 1h, never, [&](int&) { ++ran; }).how, outcome::stopped);
  EXPECT_EQ(mortise::lock_probe::conditions(g), 0u);
  g.with([](int& x) { x = 1; });
  EXPECT_EQ(ran, 0);
}

foreign::coroutine bounded(mortise::guarded<int>& g, foreign::manual_executor& ex, outcome& how) {
  const auto r = co_await g.async_with_when_for(1ms, is_one, [](int& x) { return x; }, &ex);
  how = r.how;
}

foreign::coroutine stoppable(mortise::guarded<int>& g, foreign::manual_executor& ex, std::stop_token stop,
                             outcome& how) {
  const auto r = co_await g.async_wait_or_stop(stop, is_one, &ex);
  how = r.how;
}

TEST(conditions, coroutines_waits_end_by_their_bounds) {
  mortise::guarded<int> g{0};
  foreign::manual_executor ex;
  std::stop_source source;
  outcome first = outcome::acquired, second = outcome::acquired;
  const auto a = bounded(g, ex, first);
  const auto b = stoppable(g, ex, source.get_token(), second);
  source.request_stop();
  while (!a.done() || !b.done()) ex.run_all();
  EXPECT_EQ(first, outcome::timed_out);
  EXPECT_EQ(second, outcome::stopped);
  EXPECT_EQ(mortise::lock_probe::conditions(g), 0u);
}

// All the forms with a time point, or a token and a duration: the first is over, the second is stopped.
foreign::coroutine all_forms(mortise::guarded<int>& g, foreign::manual_executor& ex, std::stop_token stop,
                             std::vector<outcome>& how) {
  const auto soon = [] { return std::chrono::steady_clock::now() + 1ms; };
  const auto value = [](int& x) { return x; };
  how.push_back((co_await g.async_with_when_until(soon(), is_one, value, &ex)).how);
  how.push_back((co_await g.async_update_when_until(soon(), is_one, value, &ex)).how);
  how.push_back((co_await g.async_wait_until(soon(), is_one, &ex)).how);
  how.push_back((co_await g.async_with_when_or_stop({}, 1ms, is_one, value, &ex)).how);
  how.push_back((co_await g.async_with_when_or_stop(stop, 1h, is_one, value, &ex)).how);
  how.push_back((co_await g.async_update_when_or_stop(stop, 1h, is_one, value, &ex)).how);
  how.push_back((co_await g.async_wait_or_stop(stop, 1h, is_one, &ex)).how);
}

TEST(conditions, each_form_ends_by_the_bound_that_comes_first) {
  mortise::guarded<int> g{0};
  foreign::manual_executor ex;
  std::stop_source source;
  source.request_stop();
  std::vector<outcome> how;
  const auto a = all_forms(g, ex, source.get_token(), how);
  while (!a.done()) ex.run_all();
  const auto late = outcome::timed_out, stopped = outcome::stopped;
  EXPECT_EQ(how, (std::vector{late, late, late, late, stopped, stopped, stopped}));
  EXPECT_EQ(mortise::lock_probe::conditions(g), 0u);
}

// The bugs: what one was told who is destroyed, or whose executor ends, is lost; its condition is evaluated when it is gone.
TEST(conditions, one_who_is_destroyed_passes_its_turn_on) {
  mortise::guarded<numbers> g;
  foreign::manual_executor first, second, third;
  std::vector<int> got;
  auto a = take(g, first, got), b = take(g, second, got);
  const auto c = take(g, third, got);
  put(g, 1);
  a.destroy();
  first.run_all();
  EXPECT_FALSE(second.empty());
  EXPECT_EQ(second.drop_all(), 1u);
  third.run_all();
  EXPECT_EQ(got, (std::vector<int>{1}));
}

// The bug: a guard that was taken by lock() changes the value, and those who wait for that are not told.
TEST(conditions, guards_tell_too) {
  mortise::guarded<numbers> g;
  foreign::manual_executor ex;
  std::vector<int> got;
  const auto a = take(g, ex, got), b = take(g, ex, got);
  {
    auto hold = g.lock();
    hold->push_back(1);
  }
  ex.run_all();
  EXPECT_EQ(got, (std::vector<int>{1}));
  auto hold = g.lock();
  hold->push_back(2);
  hold.unlock();
  ex.run_all();
  EXPECT_EQ(got, (std::vector<int>{1, 2}));
}

}  // namespace
