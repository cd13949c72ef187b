#include <mortise/task/held_check.hpp>

#include <gtest/gtest.h>
#include <pthread.h>

#include <mutex>
#include <shared_mutex>
#include <thread>

#include <mortise/task/go.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task_scope.hpp>
#include <mortise/task/this_task.hpp>

// That a mortise::mutex may be held like that is seen in tests/scopes, which may use both.

#if MORTISE_CHECKS_HELD

namespace {

using namespace std::chrono_literals;

template <class F>
void in_a_task(F f) {
  mortise::runtime rt{{.workers = 2}};
  mortise::task_scope tasks{rt};
  tasks.go(std::move(f));
  tasks.join();
}

struct held_death : testing::Test {
  held_death() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(held_death, fiber_that_sleeps_with_a_std_mutex_is_named) {
  EXPECT_DEATH(
      in_a_task([] {
        mortise::this_task::name("holder");
        std::mutex m;
        const std::lock_guard hold{m};
        mortise::sleep_for(1us);
      }),
      "^mortise: fiber [0-9]+ 'holder' suspends while it holds the pthread lock at 0x[0-9a-f]+, which belongs to its OS "
      "thread \\(a std::mutex\\?\\)");
}

TEST_F(held_death, every_way_to_lock_counts) {
  EXPECT_DEATH(in_a_task([] {
                 std::mutex m;
                 const std::unique_lock hold{m, std::try_to_lock};
                 mortise::yield();
               }),
               "fiber [0-9]+ suspends while it holds");
  EXPECT_DEATH(in_a_task([] {
                 std::timed_mutex m;
                 const std::unique_lock hold{m, 1h};
                 mortise::yield();
               }),
               "fiber [0-9]+ suspends while it holds");
  EXPECT_DEATH(in_a_task([] {
                 std::shared_mutex m;
                 const std::shared_lock hold{m};
                 mortise::yield();
               }),
               "fiber [0-9]+ suspends while it holds");
  EXPECT_DEATH(in_a_task([] {
                 std::shared_timed_mutex m;
                 const std::unique_lock hold{m, 1h};
                 mortise::yield();
               }),
               "fiber [0-9]+ suspends while it holds");
}

TEST_F(held_death, coroutine_that_awaits_with_a_std_mutex_is_named) {
  EXPECT_DEATH(in_a_task([]() -> mortise::task<> {
                 std::mutex m;
                 const std::lock_guard hold{m};
                 co_await mortise::async_sleep_for(1us);
               }),
               "coroutine [0-9]+ suspends while it holds");
}

TEST_F(held_death, coroutine_that_blocks_with_a_std_mutex_is_named) {
  EXPECT_DEATH(in_a_task([]() -> mortise::task<> {
                 std::mutex m;
                 const std::lock_guard hold{m};
                 mortise::sleep_for(1us);
                 co_return;
               }),
               "coroutine [0-9]+ suspends while it holds");
}

TEST_F(held_death, task_that_ends_with_a_lock_is_named) {
  EXPECT_DEATH(
      {
        std::mutex m;
        in_a_task([&] { m.lock(); });
      },
      "fiber [0-9]+ ends while it holds");
  EXPECT_DEATH(
      {
        std::mutex m;
        in_a_task([&]() -> mortise::task<> {
          m.lock();
          co_return;
        });
      },
      "coroutine [0-9]+ ends while it holds");
}

// The bug: an unlock out of order, or of a lock that was taken in another way, leaves something behind.
TEST(held, task_that_has_unlocked_may_suspend) {
  in_a_task([] {
    std::mutex a, b;
    std::recursive_mutex r;
    std::shared_mutex s;
    for (int i = 0; i < 100; ++i) {
      a.lock(), b.lock(), r.lock(), r.lock(), s.lock_shared();
      EXPECT_FALSE(b.try_lock());
      a.unlock(), s.unlock_shared(), r.unlock(), b.unlock(), r.unlock();
      mortise::yield();
      s.lock(), s.unlock();
      { const std::scoped_lock both{b, a}; }
      mortise::sleep_for(1us);
    }
  });
  in_a_task([]() -> mortise::task<> {
    std::mutex m;
    { const std::lock_guard hold{m}; }
    co_await mortise::async_yield();
  });
}

TEST(held, plain_thread_may_wait_with_any_lock) {
  std::mutex m;
  const std::lock_guard hold{m};
  mortise::sleep_for(1us);
  mortise::yield();
  in_a_task([] { mortise::sleep_for(1us); });  // joins meanwhile
}

// The bug: more locks than are kept write past the end, or the rest is taken for held.
TEST(held, more_locks_than_are_kept_do_no_harm) {
  in_a_task([] {
    std::mutex many[200];
    for (std::mutex& m : many) m.lock();
    for (std::mutex& m : many) m.unlock();
    mortise::yield();
  });
}

}  // namespace

#else

TEST(held, is_looked_at_in_checked_builds_only) { mortise::task_detail::entered_with_held(); }

#endif
