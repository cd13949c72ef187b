#include <mortise/task/runtime.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <coroutine>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include <mortise/base/atomic.hpp>
#include <mortise/base/sanitizers.hpp>
#include <mortise/task/counter.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/overflow.hpp>
#include <mortise/task/processors.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task_scope.hpp>
#include <support/emulated.hpp>

namespace {

using namespace std::chrono_literals;

TEST(runtime, many_are_made_and_end) {
  mortise::atomic<int> n{0};
  for (int i = 0; i < 50; ++i) {
    mortise::runtime rt{{.workers = 1 + static_cast<unsigned>(i % 4), .name = "short"}};
    EXPECT_EQ(rt.workers(), 1 + static_cast<unsigned>(i % 4));
    for (int k = 0; k < 10; ++k) mortise::go(rt, [&] { mortise::sleep_for(10us), ++n; });
  }  // the destructor waits for detached tasks
  EXPECT_EQ(n, 500);
}

TEST(runtime, options_out_of_range_are_refused) {
  EXPECT_THROW(mortise::runtime({.workers = 1025}), std::invalid_argument);
  EXPECT_THROW(mortise::runtime({.stack_size = 1000}), std::invalid_argument);
  EXPECT_THROW(mortise::runtime({.stack_size = std::size_t{1} << 30}), std::invalid_argument);
}

TEST(runtime, a_task_stays_in_its_runtime) {
  mortise::runtime rt{{.workers = 1, .name = "mine"}};
  mortise::task_scope tasks{rt};
  tasks.go([&] { EXPECT_EQ(&mortise::runtime::current(), &rt); });
  tasks.join();
  EXPECT_NE(&mortise::runtime::current(), &rt);
}

// The bug: __cxa_get_globals belongs to the OS thread, so two fibers that suspend in catch blocks rethrow
// each other's.
TEST(runtime, suspended_exceptions_stay_with_their_fiber) {
  mortise::runtime rt{{.workers = 3}};
  mortise::task_scope tasks{rt};
  mortise::atomic<int> right{0};
  for (int i = 0; i < 200; ++i) {
    tasks.go([&, i] {
      for (int round = 0; round < 20; ++round) {
        try {
          try {
            throw i * 1000 + round;
          } catch (...) {
            if (i % 2 == 0) mortise::yield();
            mortise::sleep_for(std::chrono::microseconds(10 * (i % 7)));  // others throw and catch meanwhile
            throw;
          }
        } catch (int x) {
          right += x == i * 1000 + round;
        }
      }
    });
  }
  tasks.join();
  EXPECT_EQ(right, 200 * 20);
}

// The bug: a coroutine that makes a blocking call takes its worker, and all tasks of it, with it.
TEST(runtime, blocking_calls_in_a_coroutine_stall_nobody) {
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  mortise::atomic<bool> released{false};
  mortise::atomic<int> ended{0};
  for (int i = 0; i < 10; ++i) {
    tasks.go([&]() -> mortise::task<> {
      while (!released) mortise::sleep_for(100us);  // blocks in the middle of a step, more than once
      co_await mortise::async_sleep_for(100us);
      mortise::yield();
      co_await mortise::async_yield();
      ++ended;
    });
  }
  tasks.go([&]() -> mortise::task<> {  // runs only if the others left the worker
    co_await mortise::async_sleep_for(1ms);
    released = true;
  });
  tasks.join();
  EXPECT_EQ(ended, 10);
}

// The bug: what a coroutine captured is destroyed on the worker's loop, and blocks there.
TEST(runtime, destructors_of_a_coroutine_may_block) {
  struct slow {
    mortise::atomic<int>& destroyed;
    ~slow() {
      mortise::sleep_for(100us);
      ++destroyed;
    }
  };
  mortise::atomic<int> destroyed{0};
  mortise::runtime rt{{.workers = 2}};
  for (int round = 0; round < 10; ++round) {
    mortise::task_scope tasks{rt};
    for (int i = 0; i < 20; ++i) {
      tasks.go([x = std::make_shared<slow>(destroyed)]() -> mortise::task<> {
        co_await mortise::async_sleep_for(50us);
      });
      tasks.go([] { mortise::sleep_for(300us); });
    }
    tasks.join();
  }
  EXPECT_EQ(destroyed, 200);
}

// The bug: one task's coroutine, resumed inline by another task's, is taken for the latter's.
TEST(runtime, coroutine_resumed_inside_another_task_keeps_apart) {
  struct event {
    std::coroutine_handle<> waiting{};
    struct awaiter {
      event& e;
      static bool await_ready() noexcept { return false; }
      void await_suspend(std::coroutine_handle<> h) const noexcept { e.waiting = h; }
      static void await_resume() noexcept {}
    };
    awaiter wait() noexcept { return {*this}; }
  };
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  event set;
  mortise::atomic<int> went_on{0};
  tasks.go([&]() -> mortise::task<> {
    co_await set.wait();
    co_await mortise::async_sleep_for(1ms);
    co_await mortise::async_yield();
    ++went_on;
  });
  tasks.go([&]() -> mortise::task<> {
    while (!set.waiting) co_await mortise::async_yield();
    set.waiting.resume();
    co_await mortise::async_sleep_for(1ms);
    ++went_on;
  });
  tasks.join();
  EXPECT_EQ(went_on, 2);
}

// The bug: the destructor has seen no detached task when a scope's task starts one.
TEST(runtime, destructor_waits_for_what_its_last_scope_starts) {
  mortise::atomic<bool> ran{false}, opened{false};
  std::jthread owner;
  {
    mortise::runtime rt{{.workers = 1}};
    owner = std::jthread([&] {
      mortise::task_scope tasks{rt};
      opened = true;
      tasks.go([&] {
        mortise::sleep_for(20ms);
        mortise::go([&] {
          mortise::sleep_for(20ms);
          ran = true;
        });
      });
      tasks.join();
    });
    while (!opened) std::this_thread::yield();
  }
  EXPECT_TRUE(ran);
}

// The bug: a worker busy with one task keeps the others of its queue from an idle peer.
TEST(runtime, a_hog_does_not_keep_others_from_running) {
  mortise::runtime rt{{.workers = 2}};
  mortise::task_scope tasks{rt};
  mortise::atomic<bool> ran{false};
  tasks.go([&] {
    mortise::task_scope inner{rt};
    inner.go([&] { ran = true; });
    while (!ran) {  // never yields: only a thief can run the other
    }
    inner.join();
  });
  tasks.join();
  EXPECT_TRUE(ran);
}

// The bug: a nudge left out because there was one a moment ago, and nobody looks again.
TEST(runtime, a_hog_among_sleepers_does_not_keep_them) {
  mortise::runtime rt{{.workers = 2}};
  for (int round = 0; round < 10; ++round) {
    mortise::task_scope tasks{rt};
    mortise::atomic<int> awake{0};
    for (int i = 0; i < 10; ++i) {
      tasks.go([&, i] {
        mortise::sleep_for(std::chrono::milliseconds(1 + round));
        ++awake;
        if (i == 0) {
          while (awake != 10) {  // the others woke with it, into the same queue
          }
        }
      });
    }
    tasks.join();
  }
}

// The bug: a worker that has just helped finds all idle and sleeps without end, although the one that it helped has just called
// for help and does not call again so soon.
TEST(runtime, a_second_hog_finds_help_as_well) {
  mortise::runtime rt{{.workers = 2}};
  for (int round = 0; round < 10; ++round) {
    mortise::task_scope tasks{rt};
    mortise::atomic<int> awake[2] = {0, 0};
    tasks.go([&] {
      for (int i = 0; i < 20; ++i) {  // two groups on this worker, one due some milliseconds after the other
        tasks.go([&, i] {
          mortise::atomic<int>& group = awake[i / 10];
          mortise::sleep_for(i < 10 ? 2ms : 6ms);
          if (++group == 10) {
            const auto end =
                std::chrono::steady_clock::now() + 500us;  // the helper is the last to become idle
            while (std::chrono::steady_clock::now() < end) {}
          }
          if (i % 10 != 0 || (i == 10 && awake[0] < 10)) return;  // one hog at a time
          while (group < 10) {                                    // the rest of its group is queued behind it
          }
        });
      }
    });
    tasks.join();
  }
}

TEST(runtime, tasks_are_started_from_everywhere) {
  mortise::counter n;
  mortise::task_scope tasks;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        mortise::task_scope mine;
        mine.go([&] { n.add(); });
        if (i % 10 == 0) mine.join();
      }
    });
  }
  for (int f = 0; f < 10; ++f) {
    tasks.go([&] {
      for (int i = 0; i < 500; ++i) tasks.go([&] { n.add(); });
    });
  }
  threads.clear();
  tasks.join();
  EXPECT_EQ(n.value(), 3 * 2000u + 10 * 500u);
}

TEST(runtime, a_hundred_thousand_fibers_and_coroutines) {
  const int each = mortise::sanitized ? 2'000 : 100'000;
  mortise::runtime rt{{.stack_size = 16384}};
  mortise::task_scope tasks{rt};
  mortise::counter n;
  for (int i = 0; i < each; ++i) {
    tasks.go([&] {
      mortise::sleep_for(1ms);
      ++n;
    });
    tasks.go([&]() -> mortise::task<> {
      co_await mortise::async_sleep_for(1ms);
      ++n;
    });
  }
  tasks.join();
  EXPECT_EQ(n.value(), 2u * static_cast<unsigned>(each));
}

TEST(runtime, quota_is_read_as_the_kernel_writes_it) {
  using mortise::task_detail::quota_of;
  EXPECT_EQ(quota_of("max 100000"), 0u);
  EXPECT_EQ(quota_of("200000 100000"), 2u);
  EXPECT_EQ(quota_of("150000 100000\n"), 2u);
  EXPECT_EQ(quota_of("1000 100000"), 1u);
  EXPECT_EQ(quota_of(""), 0u);
  EXPECT_GE(mortise::task_detail::usable_processors(), 1u);
}

#if !MORTISE_ASAN && !MORTISE_TSAN

// In a child process, since it takes all the memory: exits 0 if `go` threw and everything else went on.
TEST(runtime, out_of_memory_throws_and_leaves_everything_running) {
  if (mortise::test::emulated())
    GTEST_SKIP() << "the emulator takes no limit on memory from the program it runs";
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        mortise::task_scope tasks;
        mortise::counter n;
        mortise::atomic<bool> end{false};
        tasks.go([&] {
          while (!end) mortise::sleep_for(1ms), ++n;
        });
        rlimit limit{};
        limit.rlim_cur = limit.rlim_max = std::size_t{1} << 30;
        ::setrlimit(RLIMIT_AS, &limit);
        bool thrown = false;
        for (int i = 0; i < 1'000'000 && !thrown; ++i) {
          try {
            tasks.go([&] {
              while (!end) mortise::sleep_for(1ms);
              ++n;
            });
          } catch (const std::system_error& e) {
            thrown = e.code() == std::errc::not_enough_memory;
          }
        }
        const auto before = n.value();
        while (n.value() < before + 3) mortise::sleep_for(1ms);  // the first one still runs
        end = true;
        tasks.join();
        std::_Exit(thrown ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

[[gnu::noinline]] int deep(int n) {
  volatile char frame[512];
  frame[0] = static_cast<char>(n);
  return n == 0 ? frame[0] : deep(n - 1) + frame[0];
}

TEST(runtime_death, overflow_names_its_fiber) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        mortise::install_overflow_handler();
        mortise::runtime rt{{.name = "small"}};
        mortise::task_scope tasks{rt};
        tasks.go([] { deep(1'000'000); });
        tasks.join();
      },
      "mortise: fiber [0-9]+ of runtime 'small' overflowed its stack of 64 KiB");
}

TEST(runtime_death, inherited_runtime_is_named_after_fork) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        mortise::go([] {});  // starts the default runtime
        const pid_t child = ::fork();
        if (child == 0) {
          mortise::go([] {});
          std::_Exit(0);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) std::abort();
        std::_Exit(0);
      },
      "mortise: runtime 'mortise' was started before fork and is used in the child");
}

TEST(runtime_death, destruction_by_its_own_task_is_named) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        auto* rt = new mortise::runtime{{.name = "own"}};
        mortise::go(*rt, [rt] { delete rt; });
        mortise::sleep_for(1h);
      },
      "runtime 'own' is destroyed by one of its own tasks");
}

#endif

}  // namespace
