// One mutex, every kind of party: what tests/conformance does not ask of every lock.
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include <mortise/mortise.hpp>

namespace {

using namespace std::chrono_literals;

// The bug: on one worker a fiber that never blocks on the lock keeps all others from running.
TEST(fairness, lock_path_gives_way_to_runnable_tasks) {
  mortise::runtime rt{{.workers = 1}};
  mortise::mutex m;
  bool done_fiber = false, done_coroutine = false;  // guarded by m
  mortise::task_scope tasks{rt};
  tasks.go([&] {
    for (bool done = false; !done;) {
      const std::lock_guard hold{m};
      done = done_fiber;
    }
  });
  tasks.go([&]() -> mortise::task<> {
    for (bool done = false; !done;) {
      const auto hold = co_await m.async_lock();
      done = done_coroutine;
    }
  });
  tasks.go([&] {
    const std::lock_guard hold{m};
    done_fiber = done_coroutine = true;
  });
  tasks.join();
}

TEST(condition_variable_any, works_between_threads) {
  mortise::mutex m;
  std::condition_variable_any changed;
  int value = 0;  // guarded by m
  std::jthread consumer([&] {
    for (int want = 1; want <= 100; ++want) {
      std::unique_lock hold{m};
      changed.wait(hold, [&] { return value == want; });
      value = -want;
      changed.notify_all();
    }
  });
  for (int i = 1; i <= 100; ++i) {
    std::unique_lock hold{m};
    value = i;
    changed.notify_all();
    changed.wait(hold, [&] { return value == -i; });
  }
}

#if MORTISE_IS_CHECKED && !defined(__SANITIZE_THREAD__)
TEST(checked_death, blocking_lock_in_a_coroutine_is_named) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        mortise::mutex m;
        mortise::task_scope tasks;
        const std::lock_guard hold{m};
        tasks.go([&]() -> mortise::task<> {
          m.lock();
          co_return;
        });
        tasks.join();
      },
      "lock\\(\\) of the mutex at .* has to wait in coroutine [0-9]+: a coroutine waits with co_await async_lock\\(\\)");
}

TEST(checked_death, relock_by_a_fiber_is_named) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        mortise::mutex m;
        mortise::task_scope tasks;
        tasks.go([&] {
          m.lock();
          mortise::sleep_for(1ms);
          m.lock();
        });
        tasks.join();
      },
      "by fiber [0-9]+, which holds it already");
}

// std::condition_variable_any blocks the OS thread under the fiber, and with it the fiber that would notify.
TEST(checked_death, condition_variable_any_in_a_fiber_is_named) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        mortise::mutex m;
        std::condition_variable_any changed;
        mortise::task_scope tasks;
        tasks.go([&] {
          std::unique_lock hold{m};
          changed.wait(hold);
        });
        tasks.join();
      },
      "fiber [0-9]+ waits on a std::condition_variable");
}

TEST(checked, fiber_that_migrates_stays_the_holder) {
  mortise::runtime rt{{.workers = 3}};
  mortise::task_scope tasks{rt};
  mortise::mutex m;
  for (int i = 0; i < 20; ++i) {
    tasks.go([&] {
      for (int k = 0; k < 50; ++k) {
        m.lock();
        mortise::sleep_for(10us);
        m.unlock();
      }
    });
  }
  tasks.join();
}
#endif

}  // namespace
