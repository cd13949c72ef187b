// What must not be reported as an order of locks, and what comes close to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <mortise/lock/condition_variable.hpp>
#include <mortise/lock/guarded.hpp>
#include <mortise/lock/lock_order.hpp>
#include <mortise/lock/mutex.hpp>
#include <support/foreign.hpp>
#include <support/reported_orders.hpp>

#if MORTISE_IS_CHECKED

namespace {

using namespace std::chrono_literals;
using mortise::lock_order;
using mortise::mutex;

std::vector<std::string> reports() { return reported_orders::reports(); }

template <class First, class Second>
void take(First& first, Second& second) {
  const std::lock_guard one{first};
  const std::lock_guard two{second};
}

class no_lock_orders : public testing::Test {
 protected:
  const reported_orders keep;
};

// The bug: try_lock and bounded waits, which cannot deadlock, are reported.
TEST_F(no_lock_orders, of_tries_and_bounded_waits_do_not_count) {
  mutex a, b;
  take(a, b);
  const std::lock_guard hold{b};
  for (int how = 0; how < 4; ++how) {
    if (how == 0) ASSERT_TRUE(a.try_lock());
    if (how == 1) ASSERT_TRUE(a.try_lock_for(1s));
    if (how == 2) ASSERT_TRUE(a.try_lock_until(std::chrono::steady_clock::now() + 1s));
    if (how == 3) ASSERT_EQ(a.lock_or_stop(std::stop_token{}, 1s), mortise::outcome::acquired);
    a.unlock();
  }
  EXPECT_THAT(reports(), testing::IsEmpty());
}

TEST_F(no_lock_orders, of_scoped_lock_may_be_any) {
  mutex a, b, outer;
  for (int i = 0; i < 2; ++i) {
    const std::scoped_lock one{a, b};
  }
  for (int i = 0; i < 2; ++i) {
    const std::scoped_lock one{b, a};
  }
  const std::lock_guard hold{outer};
  std::lock(a, b);
  a.unlock();
  b.unlock();
  std::lock(b, a);
  a.unlock();
  b.unlock();
  EXPECT_THAT(reports(), testing::IsEmpty());
}

// The bug: orders of a lock that is gone are held against the one that was made where it had been.
TEST_F(no_lock_orders, of_another_lock_at_the_same_address_are_its_own) {
  mutex a;
  std::optional<mutex> b;
  b.emplace();
  take(a, *b);
  b.emplace();
  take(*b, a);
  b.emplace();
  take(a, *b);
  EXPECT_THAT(reports(), testing::IsEmpty());
  take(*b, a);
  EXPECT_EQ(reports().size(), 1u);
}

TEST_F(no_lock_orders, of_release_do_not_matter) {
  mutex a, b, c;
  for (int i = 0; i < 2; ++i) {
    a.lock();
    b.lock();
    a.unlock();
    c.lock();
    b.unlock();
    c.unlock();
    take(b, c);
    take(a, b);
  }
  EXPECT_THAT(reports(), testing::IsEmpty());
  take(c, b);
  EXPECT_EQ(reports().size(), 1u);
}

TEST_F(no_lock_orders, of_one_after_the_other_are_none) {
  mutex a, b;
  for (int i = 0; i < 2; ++i) {
    a.lock();
    a.unlock();
    b.lock();
    b.unlock();
  }
  EXPECT_THAT(reports(), testing::IsEmpty());
}

TEST_F(no_lock_orders, that_all_agree_on_are_not_reported) {
  mutex a, b, c;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 200; ++k) {
        if (i % 2 == 0) take(a, b);
        take(b, c);
        take(a, c);
      }
    });
  }
  threads.clear();
  EXPECT_THAT(reports(), testing::IsEmpty());
}

// The bug: who is kept apart by a third lock is told to reorder.
TEST_F(no_lock_orders, that_a_third_lock_keeps_apart_are_reported_once_it_does_not) {
  mutex gate, a, b;
  gate.lock();
  take(a, b);
  take(b, a);
  gate.unlock();
  EXPECT_THAT(reports(), testing::IsEmpty());
  take(a, b);  // one of both without the gate: the other still has it, and they can meet
  EXPECT_EQ(reports().size(), 1u);
}

// The bug: a gate that is shared is taken for one that keeps parties apart.
TEST_F(no_lock_orders, behind_two_gates_are_reported) {
  mutex one_gate, other_gate, a, b;
  one_gate.lock();
  take(a, b);
  one_gate.unlock();
  other_gate.lock();
  take(b, a);
  other_gate.unlock();
  EXPECT_EQ(reports().size(), 1u);
}

// The bug: a list that is locked hand over hand, in an order that its nodes change, cannot be told to be right.
TEST_F(no_lock_orders, of_a_waived_lock_are_none) {
  mutex a, b, c;
  lock_order::waive(a);
  take(a, b);
  take(b, a);
  take(b, c);
  lock_order::waive(c);
  take(c, b);
  EXPECT_THAT(reports(), testing::IsEmpty());
}

// The bug: the mutex of a waiting condition variable counts as held, or its being taken again as an order of its own.
TEST_F(no_lock_orders, of_a_wait_for_a_notification_are_those_of_taking_its_mutex_again) {
  mutex m, a;
  mortise::condition_variable changed;
  bool told = false;
  std::jthread teller([&] {
    const std::lock_guard outer{a};
    const std::lock_guard hold{m};
    told = true;
    changed.notify_all();
  });
  {
    std::unique_lock hold{m};
    changed.wait(hold, [&] { return told; });
  }
  teller.join();
  {
    const std::lock_guard outer{a};
    std::unique_lock hold{m};
    static_cast<void>(changed.wait_for(hold, 1us));
  }
  EXPECT_THAT(reports(), testing::IsEmpty());
  mutex m2,
      a2;  // the mutex first, then another: while it waits that one is held, and the mutex is taken behind it
  std::unique_lock hold{m2};
  const std::lock_guard inner{a2};
  static_cast<void>(changed.wait_for(hold, 1us));
  EXPECT_EQ(reports().size(), 1u);
}

// The bug: the lock in a guarded is not seen, or a wait for its condition counts as holding it.
TEST_F(no_lock_orders, of_guarded_are_those_of_its_lock) {
  mortise::guarded<int> a{0}, b{0};
  std::jthread other([&] { b.with_when([](int v) { return v == 1; }, [](int& v) { v = 2; }); });
  a.with([&](int&) {
    b.with([](int& v) { v = 1; });
    b.wait([](int v) { return v == 2; });
  });
  other.join();
  EXPECT_THAT(reports(), testing::IsEmpty());
  b.with([&](int&) { static_cast<void>(a.wait_for(1us, [](int) { return true; })); });
  EXPECT_THAT(reports(), testing::IsEmpty());
  b.with([&](int&) { a.wait([](int) { return true; }); });
  EXPECT_EQ(reports().size(), 1u);
}

// The bug: what a coroutine of somebody else's holds is taken for its thread's, which goes on and takes others.
TEST_F(no_lock_orders, of_coroutines_without_a_runtime_are_not_their_threads) {
  mutex a, b;
  foreign::manual_executor ex;
  std::unique_lock<mutex> kept;
  const auto takes = [](mutex& m, foreign::manual_executor& e,
                        std::unique_lock<mutex>& to) -> foreign::coroutine {
    to = co_await m.async_lock(&e);
  };
  const auto one = takes(a, ex, kept);
  b.lock();
  {
    std::unique_lock<mutex> waits;
    const auto two = takes(a, ex, waits);
    b.unlock();
    kept.unlock();
    ex.run_all();
  }
  take(b, a);
  take(a, b);
  EXPECT_EQ(reports().size(), 1u);  // of the last two
}

}  // namespace

#endif
