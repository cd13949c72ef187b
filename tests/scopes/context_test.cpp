// Another fiber library supplies park and make-runnable, and our locks work in it: wait::context is public.
#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include <mortise/mortise.hpp>
#include <support/foreign_context.hpp>
#include <support/lock_probe.hpp>

namespace {

namespace wait = mortise::wait;

TEST(context, locks_work_in_a_foreign_one) {
  static foreign::context mine;  // parkers outlive every waker
  mortise::mutex m;
  m.lock();
  std::jthread waiter([&] {
    EXPECT_EQ(wait::exchange_context(&mine), nullptr);
    EXPECT_EQ(&wait::this_context(), &mine);
    {
      const std::lock_guard hold{m};
      EXPECT_FALSE(m.try_lock_for(std::chrono::hours(-1)));
    }
    EXPECT_EQ(wait::exchange_context(nullptr), &mine);
  });
  mortise::lock_probe::wait_for_waiters(m, 1);
  m.unlock();
  waiter.join();
  EXPECT_GE(mine.parks, 1);
  std::jthread late([&] {
    wait::exchange_context(&mine);
    m.lock();
    m.unlock();
    wait::exchange_context(nullptr);
  });
}

// The bug: a lock that belongs to a thread is given to a fiber, which unlocks it on another one.
TEST(context, a_thread_is_told_from_the_tasks_on_it) {
  EXPECT_TRUE(wait::on_plain_thread());
  mortise::task_scope scope;
  scope.go([] { EXPECT_FALSE(wait::on_plain_thread()); });
  scope.go([]() -> mortise::task<> {
    EXPECT_FALSE(wait::on_plain_thread());
    co_return;
  });
  scope.join();
  static foreign::context mine;  // a thread too, says its kind()
  std::jthread elsewhere([] {
    wait::exchange_context(&mine);
    EXPECT_TRUE(wait::on_plain_thread());
    wait::exchange_context(nullptr);
  });
}

}  // namespace
