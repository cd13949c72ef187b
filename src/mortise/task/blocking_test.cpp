#include <mortise/task/blocking.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <mortise/base/atomic.hpp>
#include <mortise/base/sanitizers.hpp>
#include <mortise/task/counter.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task_scope.hpp>
#include <support/emulated.hpp>
#include <support/foreign.hpp>

namespace {

using namespace std::chrono_literals;

// Blocks its OS thread until it is opened.
class gate {
 public:
  void open() { m_open = true; }
  void pass() const {
    while (!m_open) ::usleep(100);
  }
  bool is_open() const { return m_open; }

 private:
  mortise::atomic<bool> m_open{false};
};

TEST(blocking, what_the_call_returns_or_throws_comes_out) {
  mortise::runtime rt{{.workers = 2}};
  mortise::task_scope tasks{rt};
  int x = 1;
  tasks.go([&] {
    EXPECT_EQ(mortise::blocking([] { return 42; }), 42);
    EXPECT_EQ(*mortise::blocking([] { return std::make_unique<int>(7); }), 7);
    EXPECT_EQ(&mortise::blocking([&]() -> int& { return x; }), &x);
    mortise::blocking([&] { x = 2; });
    EXPECT_EQ(x, 2);
    EXPECT_THROW(mortise::blocking([] { throw std::string("no"); }), std::string);
    auto owns = [p = std::make_unique<int>(8)]() mutable { return std::move(p); };
    EXPECT_EQ(*mortise::blocking(owns), 8);  // the callable itself is called, not a copy
    EXPECT_EQ(*mortise::blocking([p = std::make_unique<int>(9)]() mutable { return std::move(p); }), 9);
  });
  tasks.join();
  tasks.go([&]() -> mortise::task<> {
    EXPECT_EQ(co_await mortise::async_blocking([] { return 42; }), 42);
    EXPECT_EQ(&co_await mortise::async_blocking([&]() -> int& { return x; }), &x);
    co_await mortise::async_blocking([&] { x = 3; });
    EXPECT_EQ(x, 3);
    bool caught = false;
    try {
      co_await mortise::async_blocking([] { throw std::string("no"); });
    } catch (const std::string& s) {
      caught = s == "no";
    }
    EXPECT_TRUE(caught);
  });
  tasks.join();
}

// The bug: the call blocks the worker's thread, so that who would end it never runs.
TEST(blocking, one_worker_goes_on_with_its_other_tasks) {
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  gate fiber, step, coroutine;
  tasks.go([&] { mortise::blocking([&] { fiber.pass(); }); });
  tasks.go([&]() -> mortise::task<> {
    mortise::blocking([&] { step.pass(); });  // async_blocking is meant, but this stalls nobody either
    co_return;
  });
  tasks.go([&]() -> mortise::task<> { co_await mortise::async_blocking([&] { coroutine.pass(); }); });
  tasks.go([&] { fiber.open(), step.open(), coroutine.open(); });
  tasks.join();
}

TEST(blocking, call_of_a_task_runs_on_another_thread_and_that_of_a_plain_thread_on_its_own) {
  EXPECT_EQ(mortise::blocking([] { return ::gettid(); }), ::gettid());
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  tasks.go([] {
    EXPECT_NE(mortise::blocking([] { return ::gettid(); }), ::gettid());
    mortise::blocking([] { EXPECT_EQ(mortise::blocking([] { return ::gettid(); }), ::gettid()); });
  });
  tasks.join();
}

TEST(blocking, many_calls_of_many_tasks_are_each_run_once) {
  mortise::runtime rt{{.workers = 3}};
  mortise::task_scope tasks{rt};
  mortise::counter ran;
  for (int i = 0; i < 100; ++i) {
    tasks.go([&] {
      for (int k = 0; k < 20; ++k) EXPECT_EQ(mortise::blocking([&] { return ++ran, k; }), k);
    });
    tasks.go([&]() -> mortise::task<> {
      for (int k = 0; k < 20; ++k)
        EXPECT_EQ(co_await mortise::async_blocking([&ran, k] { return ++ran, k; }), k);
    });
  }
  tasks.join();
  EXPECT_EQ(ran.value(), 4000u);
}

// The bug: the thread that ran the call wakes its task, the task ends and its runtime with it, and the thread then looks there for an
// idle worker.
TEST(blocking, runtime_may_end_as_soon_as_its_last_call_is_done) {
  for (int i = 0; i < 300; ++i) {
    mortise::runtime rt{{.workers = 2}};
    mortise::go(rt, [] { mortise::blocking([] {}); });
    mortise::go(rt, []() -> mortise::task<> { co_await mortise::async_blocking([] {}); });
  }
}

foreign::coroutine blocks_in_a_coroutine(gate& g, mortise::wait::executor& where, int& result) {
  result = co_await mortise::async_blocking([&] { return g.pass(), 5; }, &where);
}

TEST(blocking, coroutine_of_another_library_is_resumed_on_its_executor) {
  foreign::manual_executor executor;
  gate g;
  int result = 0;
  const foreign::coroutine c = blocks_in_a_coroutine(g, executor, result);
  g.open();
  while (executor.empty()) std::this_thread::yield();
  EXPECT_EQ(result, 0);
  executor.run_all();
  EXPECT_EQ(result, 5);
  EXPECT_TRUE(c.done());
}

// The bug: the frame with the callable in it is freed, and the call goes on in it.
TEST(blocking, frame_that_is_destroyed_waits_for_its_call) {
  foreign::manual_executor executor;
  gate g;
  int result = 0;
  mortise::atomic<bool> gone{false};
  foreign::coroutine c = blocks_in_a_coroutine(g, executor, result);
  std::thread destroyer([&] {
    c.destroy();
    EXPECT_TRUE(g.is_open());
    gone = true;
  });
  ::usleep(1000);  // so that it waits by then, most likely
  EXPECT_FALSE(gone);
  g.open();
  destroyer.join();
  executor.run_all();  // what was posted before it was destroyed resumes nobody
  EXPECT_EQ(result, 0);
}

TEST(blocking, dropped_job_resumes_nobody) {
  foreign::manual_executor executor;
  gate g;
  int result = 0;
  {
    const foreign::coroutine c = blocks_in_a_coroutine(g, executor, result);
    g.open();
    while (executor.empty()) std::this_thread::yield();
    executor.drop_all();
  }
  EXPECT_EQ(result, 0);
}

#if !MORTISE_TSAN  // which knows no threads in a child

// The bug: the child counts on the threads of its parent, and waits for ever.
TEST(blocking, forked_child_has_threads_of_its_own) {
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  gate first, second, running;
  tasks.go([&] {
    mortise::blocking([&] { first.pass(); });
    running.open();
  });
  tasks.go([&] { mortise::blocking([&] { first.open(), second.pass(); }); });
  running.pass();  // one thread is idle now, and another runs a call
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    int result = 0;
    {
      mortise::runtime own{{.workers = 1}};
      mortise::task_scope here{own};
      here.go([&] { result = mortise::blocking([] { return 3; }); });
      here.join();
    }
    ::_exit(result);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << status;
  second.open();
  tasks.join();
}

TEST(blocking_death, call_that_forks_and_returns_in_the_child_is_named) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        mortise::task_scope tasks;
        tasks.go([] {
          int status = 0;
          mortise::blocking([&] {
            if (const pid_t child = ::fork(); child != 0) ::waitpid(child, &status, 0);
          });
          if (WIFSIGNALED(status)) std::abort();
        });
        tasks.join();
      },
      "^mortise: a call made with blocking\\(\\) has forked and returns in the child");
}

#endif

#if !MORTISE_ASAN && !MORTISE_TSAN

// How often a call was refused for want of a thread. The process has no memory for one from here on.
unsigned long refused_without_memory() {
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  mortise::counter refused;
  mortise::counter ran;
  tasks.go([&] {
    // What there is, and a little for exceptions; a thread's stack is more.
    unsigned long pages = 0;
    std::ifstream{"/proc/self/statm"} >> pages;
    const rlimit little{pages * ::sysconf(_SC_PAGESIZE) + (1 << 20), RLIM_INFINITY};
    ::setrlimit(RLIMIT_AS, &little);
    try {
      mortise::blocking([&] { ++ran; });
    } catch (const std::system_error& e) {
      refused += e.code() == std::errc::resource_unavailable_try_again;
    }
  });
  tasks.join();
  tasks.go([&]() -> mortise::task<> {
    try {
      co_await mortise::async_blocking([&] { ++ran; });
    } catch (const std::system_error& e) {
      refused += e.code() == std::errc::resource_unavailable_try_again;
    }
    co_await mortise::async_sleep_for(1us);  // it goes on as before
  });
  tasks.join();
  return ran.value() == 0 ? refused.value() : 0;
}

TEST(blocking, without_a_thread_it_throws_and_the_call_never_runs) {
  if (mortise::test::emulated())
    GTEST_SKIP() << "the emulator takes no limit on memory from the program it runs";
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(std::_Exit(refused_without_memory() == 2 ? 0 : 1), testing::ExitedWithCode(0), "");
}

#endif

}  // namespace
