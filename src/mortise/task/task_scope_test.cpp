#include <mortise/task/task_scope.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <mortise/base/atomic.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/sleep.hpp>

namespace {

using namespace std::chrono_literals;

TEST(task_scope, join_waits_for_all_and_sees_what_they_did) {
  int plain[200] = {};  // not atomic: the join is all that orders it
  mortise::task_scope tasks;
  for (int i = 0; i < 100; ++i) {
    tasks.go([&, i] {
      mortise::sleep_for(1ms);
      plain[i] = 1;
    });
    tasks.go([&, i]() -> mortise::task<> {
      co_await mortise::async_sleep_for(1ms);
      plain[100 + i] = 1;
    });
  }
  tasks.join();
  for (int x : plain) ASSERT_EQ(x, 1);
  tasks.go([&] { plain[0] = 2; });  // may be used again
  tasks.join();
  EXPECT_EQ(plain[0], 2);
}

TEST(task_scope, first_exception_comes_out_of_join_once) {
  mortise::task_scope tasks;
  tasks.go([] { throw std::runtime_error("from a fiber"); });
  EXPECT_THROW(tasks.join(), std::runtime_error);
  tasks.join();
  tasks.go([]() -> mortise::task<> {
    co_await mortise::async_yield();
    throw std::logic_error("from a coroutine");
  });
  EXPECT_THROW(tasks.stop_and_join(), std::logic_error);
}

// The bug: join tells of the last failure, which the first one caused.
TEST(task_scope, first_of_several_exceptions_is_kept) {
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  tasks.go([&] {
    tasks.go([] { throw std::logic_error("second"); });
    throw std::runtime_error("first");
  });
  EXPECT_THROW(tasks.join(), std::runtime_error);
}

TEST(task_scope, destructor_stops_and_joins) {
  bool stopped = false;
  {
    mortise::task_scope tasks;
    tasks.go([&](std::stop_token stop) { stopped = !mortise::sleep_for(1h, stop); });
  }
  EXPECT_TRUE(stopped);
}

TEST(task_scope, exception_is_dropped_while_another_unwinds) {
  EXPECT_THROW(
      {
        mortise::task_scope tasks;
        tasks.go([] { throw std::runtime_error("second"); });
        throw std::logic_error("first");
      },
      std::logic_error);
}

TEST(task_scope,
     captures_live_as_long_as_the_task) {  // the bug: a lambda coroutine's captures die with the lambda
  const auto tracked = std::make_shared<int>(7);
  mortise::task_scope tasks;
  int sum_fiber = 0, sum_coroutine = 0;
  tasks.go([tracked, &sum_fiber] {
    mortise::sleep_for(1ms);
    sum_fiber += *tracked;
  });
  tasks.go([tracked, &sum_coroutine]() -> mortise::task<> {
    co_await mortise::async_sleep_for(1ms);
    sum_coroutine += *tracked;
  });
  tasks.join();
  EXPECT_EQ(sum_fiber, 7);
  EXPECT_EQ(sum_coroutine, 7);
  EXPECT_EQ(tracked.use_count(), 1);  // and no longer
}

mortise::task<std::string> greeting(int depth) {
  if (depth == 0) {
    co_await mortise::async_sleep_for(1ms);
    co_return "hello";
  }
  co_return co_await greeting(depth - 1) + "!";
}

TEST(task_scope, tasks_await_tasks) {
  std::string heard;
  mortise::task_scope tasks;
  tasks.go([&]() -> mortise::task<> { heard = co_await greeting(3); });
  tasks.join();
  EXPECT_EQ(heard, "hello!!!");
}

TEST(task_scope, exceptions_come_out_of_co_await) {
  bool caught = false;
  mortise::task_scope tasks;
  tasks.go([&]() -> mortise::task<> {
    try {
      co_await []() -> mortise::task<int> {
        co_await mortise::async_yield();
        throw std::runtime_error("inner");
      }();
    } catch (const std::runtime_error&) {
      caught = true;
    }
  });
  tasks.join();
  EXPECT_TRUE(caught);
}

// The bug: the last task touches a scope that its owner has already destroyed, or a join sleeps through the
// end.
TEST(task_scope, many_are_opened_and_closed_from_all_kinds) {
  mortise::task_scope outer;
  mortise::atomic<int> n{0};
  for (int i = 0; i < 8; ++i) {
    outer.go([&] {
      for (int k = 0; k < 300; ++k) {
        mortise::task_scope inner;
        inner.go([&] { ++n; });
        inner.go([&]() -> mortise::task<> {
          co_await mortise::async_yield();
          ++n;
        });
        inner.join();
      }
    });
    outer.go([&]() -> mortise::task<> {
      for (int k = 0; k < 300; ++k) {
        mortise::task_scope inner;
        inner.go([&] { ++n; });
        inner.go([&] { mortise::yield(), ++n; });
        co_await inner.async_join();
      }
    });
  }
  for (int k = 0; k < 1000; ++k) {
    mortise::task_scope inner;
    inner.go([&] { ++n; });
    inner.join();
  }
  outer.join();
  EXPECT_EQ(n, 8 * 300 * 4 + 1000);
}

TEST(task_scope, async_join_rethrows) {
  mortise::task_scope outer;
  outer.go([]() -> mortise::task<> {
    mortise::task_scope inner;
    inner.go([] { throw std::runtime_error("inner"); });
    co_await inner.async_join();
  });
  EXPECT_THROW(outer.join(), std::runtime_error);
}

#if !defined(__SANITIZE_THREAD__)
TEST(task_scope_death, unjoined_exception_ends_the_program) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        mortise::task_scope tasks;
        tasks.go([] { throw std::runtime_error("nobody joined for me"); });
      },
      "a task ended with an exception that nobody joined for: nobody joined for me");
  EXPECT_DEATH(
      {
        mortise::go([] { throw std::runtime_error("detached"); });
        mortise::sleep_for(1h);
      },
      "nobody joined for: detached");
}
#endif

}  // namespace
