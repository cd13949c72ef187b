// The order of locks among tasks. Among threads: src/mortise/lock/lock_order_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <mutex>
#include <semaphore>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <mortise/mortise.hpp>
#include <support/reported_orders.hpp>

#if MORTISE_IS_CHECKED

namespace {

using namespace std::chrono_literals;
using mortise::mutex;

std::vector<std::string> reports() { return reported_orders::reports(); }

class lock_orders : public testing::Test {
 protected:
  const reported_orders keep;
};

void take(mutex& first, mutex& second) {
  const std::lock_guard one{first};
  const std::lock_guard two{second};
}

mortise::task<> async_take(mutex& first, mutex& second) {
  const auto one = co_await first.async_lock();
  const auto two = co_await second.async_lock();
}

// Waits for its end.
template <class F>
void in_a_task(F f) {
  mortise::task_scope tasks;
  tasks.go(std::move(f));
  tasks.join();
}

// The bug: parties of one kind are compared with their own alone.
TEST_F(lock_orders, of_a_fiber_a_coroutine_and_a_thread_are_one) {
  mutex a, b, c;
  in_a_task([&] { take(a, b); });
  in_a_task([&] { return async_take(b, c); });
  EXPECT_THAT(reports(), testing::IsEmpty());
  std::jthread{[&] { take(c, a); }}.join();
  ASSERT_EQ(reports().size(), 1u);
  EXPECT_THAT(reports().front(),
              testing::AllOf(testing::ContainsRegex("taken by fiber [0-9]+, here:\n    #0"),
                             testing::ContainsRegex("taken by coroutine [0-9]+, here:\n    #0"),
                             testing::ContainsRegex("taken by thread [0-9]+, here:\n    #0")));
}

// The bug: what a coroutine holds is forgotten when it suspends.
TEST_F(lock_orders, of_coroutines_are_reported) {
  mutex a, b;
  in_a_task([&] { return async_take(a, b); });
  in_a_task([&]() -> mortise::task<> {
    const auto one = co_await b.async_lock();
    co_await mortise::async_sleep_for(1ms);
    const auto two = co_await a.async_lock();
    EXPECT_EQ(reports().size(), 1u);
  });
}

// The bug: the report of a fiber overflows its stack, which may be of 16 KiB.
TEST_F(lock_orders, of_fibers_with_the_smallest_stacks_are_reported) {
  mortise::runtime rt{{.workers = 2, .stack_size = 32 << 10}};
  mutex a, b;
  for (int i = 0; i < 2; ++i) {
    mortise::task_scope tasks{rt};
    tasks.go([&] { i == 0 ? take(a, b) : take(b, a); });
    tasks.join();
  }
  EXPECT_EQ(reports().size(), 1u);
}

// The bug: holds are kept for the OS thread, on which other fibers go on, and from which this one leaves.
TEST_F(lock_orders, are_those_of_the_fiber_and_not_of_its_thread) {
  mortise::runtime rt{{.workers = 3}};
  mortise::task_scope tasks{rt};
  std::array<mutex, 12> own;
  mutex shared;
  for (mutex& m : own) {
    tasks.go([&] {
      for (int k = 0; k < 30; ++k) {
        const std::lock_guard one{m};
        mortise::sleep_for(50us);
        const std::lock_guard two{shared};
        mortise::yield();
      }
    });
  }
  tasks.join();
  EXPECT_THAT(reports(), testing::IsEmpty());
}

// The bug: a task that has handed its guard to another party is thought to hold it for ever.
TEST_F(lock_orders, after_a_guard_was_handed_over_are_not_those_of_who_took_it) {
  mutex a, b, c;
  std::unique_lock<mutex> handed;
  std::binary_semaphore is_handed{0}, is_released{0};
  std::jthread other([&] {
    is_handed.acquire();
    handed.unlock();
    is_released.release();
  });
  in_a_task([&]() -> mortise::task<> {
    handed = co_await a.async_lock();
    { const auto while_it_looks_held = co_await b.async_lock(); }
    is_handed.release();
    co_await mortise::async_blocking([&] { is_released.acquire(); });
    const auto afterwards = co_await c.async_lock();
  });
  take(b, a);
  take(c, a);
  EXPECT_THAT(reports(), testing::IsEmpty());
}

// The bug: what was seen in a hold that stayed with its party goes away, too.
TEST_F(lock_orders, of_a_guard_that_was_moved_about_but_stayed_are_kept) {
  mutex a, b;
  in_a_task([&]() -> mortise::task<> {
    auto hold = co_await a.async_lock();
    const auto moved = std::move(hold);
    const auto two = co_await b.async_lock();
  });
  take(b, a);
  EXPECT_EQ(reports().size(), 1u);
}

// The bug: what a parent holds is thought to be held by its children, or the other way round.
TEST_F(lock_orders, of_parent_and_child_are_their_own) {
  mutex a, b;
  in_a_task([&] {
    const std::lock_guard hold{a};
    mortise::task_scope children;
    children.go([&] { const std::lock_guard child{b}; });
    children.join();
  });
  in_a_task([&] {
    mortise::task_scope children;
    {
      const std::lock_guard hold{b};
      children.go([&] { take(a, b); });  // waits until its parent has released b
    }
    children.join();
  });
  EXPECT_THAT(reports(), testing::IsEmpty());
  take(b, a);
  EXPECT_EQ(reports().size(), 1u);  // of the child and this
}

// The bug: bounded waits of coroutines count, or those that only a stop ends do not.
TEST_F(lock_orders, of_waits_in_coroutines_count_unless_there_is_a_deadline) {
  mutex a, b;
  take(a, b);
  in_a_task([&]() -> mortise::task<> {
    const auto hold = co_await b.async_lock();
    { const auto bounded = co_await a.async_lock_for(1s); }
    { const auto bounded = co_await a.async_lock_or_stop(std::stop_token{}, 1s); }
    EXPECT_THAT(reports(), testing::IsEmpty());
    { const auto stoppable = co_await a.async_lock_or_stop(std::stop_token{}); }
    EXPECT_EQ(reports().size(), 1u);
  });
}

// The bug: a coroutine that waits for a condition or a notification is thought to hold the mutex meanwhile, or to take it for nothing.
TEST_F(lock_orders, of_conditions_in_coroutines_are_those_of_their_mutexes) {
  mortise::guarded<int> value{0};
  mutex m, outer;
  mortise::condition_variable changed;
  bool told = false;
  mortise::task_scope tasks;
  tasks.go([&]() -> mortise::task<> {
    const auto hold = co_await outer.async_lock();
    co_await value.async_with_when([](int v) { return v == 1; }, [](int& v) { v = 2; });
  });
  tasks.go([&]() -> mortise::task<> {
    auto hold = co_await m.async_lock();
    while (!told) co_await changed.async_wait(hold);
  });
  tasks.go([&]() -> mortise::task<> {
    {
      const auto hold = co_await m.async_lock();
      co_await value.async_with([](int& v) { v = 1; });
      told = true;
    }
    changed.notify_all();
  });
  tasks.join();
  EXPECT_THAT(reports(), testing::IsEmpty());
  in_a_task([&]() -> mortise::task<> {
    auto hold = co_await m.async_lock();
    const auto second = co_await outer.async_lock();
    EXPECT_THAT(reports(), testing::IsEmpty());
    co_await changed.async_wait_for(hold, 1us);  // takes m behind outer
  });
  EXPECT_EQ(reports().size(), 1u);
}

}  // namespace

#endif
