// A dump names who waits, for what, and where.
#include <mortise/insight/dump.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <mortise/base/sanitizers.hpp>
#include <mortise/insight/named.hpp>
#include <mortise/lock/guarded.hpp>
#include <mortise/lock/holder.hpp>
#include <mortise/lock/latch.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/lock/semaphore.hpp>
#include <mortise/lock/shared_mutex.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task.hpp>
#include <mortise/task/task_scope.hpp>
#include <mortise/task/this_task.hpp>
#include <mortise/wait/observer.hpp>

// Found by name in a stack: not inlined, and the call in them is not their last act.
[[gnu::noinline]] void waits_in_this_function(mortise::mutex& m) {
  m.lock();
  m.unlock();
  asm volatile("");
}

namespace {

using namespace std::chrono_literals;
using mortise::insight::dump;
using mortise::insight::named;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class watched : public testing::Test {
 protected:
  void SetUp() override { mortise::insight::watch_waits(); }
  void TearDown() override { mortise::insight::ignore_waits(); }

  static std::string eventually(const std::string& part) {
    std::string text;
    for (int i = 0; i < 5'000; ++i) {
      text = dump();
      if (text.find(part) != std::string::npos) return text;
      std::this_thread::sleep_for(2ms);
    }
    ADD_FAILURE() << "never: " << part << "\n" << text;
    return text;
  }
};

// The bug: who wants to know of waits alone pays for holders all the same.
TEST(watching_without_holders, leaves_the_fast_way_open) {
  if (MORTISE_IS_CHECKED) GTEST_SKIP() << "known at all times";
  using namespace mortise::insight;
  watch_waits(stacks::left_out, holders::left_out);
  mortise::mutex m;
  m.lock();
  EXPECT_FALSE(mortise::lock_detail::holder_of(&m));
  std::jthread waiter{[&] { const std::lock_guard hold{m}; }};
  while (dump().find("1 party waits\n") == std::string::npos) std::this_thread::sleep_for(1ms);
  EXPECT_THAT(dump(), Not(HasSubstr("held by")));
  m.unlock();
  waiter.join();
  ignore_waits(stacks::left_out, holders::left_out);
}

// The bug: one party, its lock, its holder or its place is missing.
TEST_F(watched, threads_stand_together_by_what_they_wait_for_and_where) {
  mortise::mutex m;
  const named name{m, "accounts"};
  m.lock();
  std::vector<std::jthread> waiters;
  for (int i = 0; i < 3; ++i) waiters.emplace_back([&] { waits_in_this_function(m); });
  const std::string text = eventually("mortise: 3 parties wait\n");
  EXPECT_THAT(text, ContainsRegex("\nthread [0-9]+, thread [0-9]+, thread [0-9]+ wait for mutex 'accounts' "
                                  "\\(0x[0-9a-f]+\\), the first since "));
  EXPECT_THAT(text, HasSubstr(", held by thread " + std::to_string(::gettid()) + "\n"));
  if (MORTISE_HAS_BACKTRACE) EXPECT_THAT(text, HasSubstr("    waits_in_this_function"));
  EXPECT_THAT(text, Not(ContainsRegex("    mortise::[a-z0-9_]*::mutex::"))) << "the library's own frames";
  m.unlock();
  waiters.clear();
  EXPECT_THAT(dump(), HasSubstr("mortise: 0 parties wait\n"));
}

// The bug: of a lock without a name there is an address only, which tells nobody anything.
TEST_F(watched, what_has_no_name_is_called_by_where_it_was_waited_for_first) {
  if (!MORTISE_HAS_BACKTRACE) GTEST_SKIP() << "places have no names here: libbacktrace comes with GCC alone";
  mortise::mutex m;
  m.lock();
  std::jthread first{[&] { waits_in_this_function(m); }};
  eventually(" waits for mutex 0x");
  std::jthread second{[&] { const std::lock_guard hold{m}; }};
  const std::string text = eventually("mortise: 2 parties wait\n");
  for (int times = 0, at = 0; times < 2; ++times) {
    const std::size_t found =
        text.find("(first waited for in waits_in_this_function", static_cast<std::size_t>(at));
    ASSERT_NE(found, std::string::npos) << text;
    at = static_cast<int>(found) + 1;
  }
  m.unlock();
}

// The bug: a fiber or coroutine is not known by its name, or counted twice, or those that sleep or run are forgotten.
TEST_F(watched, tasks_that_wait_sleep_and_run_are_there_once) {
  mortise::runtime r{{.workers = 2}};
  mortise::task_scope tasks{r};
  mortise::mutex m;
  std::stop_source stop;
  std::atomic<bool> ends{false};
  m.lock();
  tasks.go([&] {
    mortise::this_task::name("loader");
    const std::lock_guard hold{m};
  });
  tasks.go([&]() -> mortise::task<> { const auto hold = co_await m.async_lock(); });
  tasks.go([&] {
    mortise::this_task::name("sleeper");
    mortise::sleep_for(1h, stop.get_token());
  });
  tasks.go([&] {
    mortise::this_task::name("runner");
    while (!ends) {}
  });
  eventually("mortise: 2 parties wait\n");
  eventually(" 'sleeper'");
  const std::string text = eventually(" 'runner'");
  EXPECT_THAT(text, ContainsRegex("fiber [0-9]+ 'loader' waits for mutex 0x"));
  EXPECT_THAT(text, ContainsRegex("coroutine [0-9]+ waits for mutex 0x"));
  EXPECT_THAT(text, ContainsRegex("1 task running: fiber [0-9]+ 'runner'\n"));
  EXPECT_EQ(text.find("'loader'"), text.rfind("'loader'"));
  ends = true;
  stop.request_stop();
  m.unlock();
  tasks.join();
}

// The bug: a wait of some kind is not seen.
TEST_F(watched, whatever_can_be_waited_for_has_its_kind) {
  mortise::binary_semaphore s{0};
  std::jthread a{[&] { s.acquire(); }};
  eventually(" waits for semaphore 0x");
  s.release();
  mortise::latch l{1};
  std::jthread b{[&] { l.wait(); }};
  eventually(" waits for latch 0x");
  l.count_down();
  mortise::shared_mutex m;
  m.lock();
  std::jthread c{[&] { const std::shared_lock hold{m}; }};
  eventually(" waits for shared_mutex, to read 0x");
  m.unlock();
  std::jthread d{[&] {
    mortise::task_scope tasks;
    tasks.go([] { mortise::sleep_for(300ms); });
    tasks.join();
  }};
  eventually(" waits for task_scope 0x");
}

// The bug: a holder is asked who it is before it has been made, or as another task is made in its place. ThreadSanitizer tells.
TEST_F(watched, holders_come_and_go_while_they_are_named) {
  mortise::runtime r{{.workers = 2}};
  mortise::task_scope tasks{r};
  mortise::mutex m;
  int sections = 0;
  std::atomic<bool> over{false};
  std::jthread looks{[&] {
    while (!over) dump();
  }};
  constexpr int rounds = 100, crowd = 20;
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < crowd; ++i) {
      tasks.go([&] {
        const std::lock_guard hold{m};
        ++sections;
        mortise::yield();
      });
    }
    tasks.join();
  }
  over = true;
  EXPECT_EQ(sections, rounds * crowd);
}

// The bug: who parked before anybody watched is somewhere; or is lost, or has no stack left, once it was looked at.
TEST(dump, tells_where_fibers_are_parked_that_nobody_watched) {
  mortise::runtime r{{.workers = 2}};
  mortise::task_scope tasks{r};
  mortise::mutex m;
  m.lock();
  for (int i = 0; i < 2; ++i) tasks.go([&] { waits_in_this_function(m); });
  std::string text;
  for (int i = 0; i < 5'000 && text.find("2 tasks parked: fiber ") == std::string::npos; ++i) text = dump();
  EXPECT_THAT(text, HasSubstr("2 tasks parked: fiber "));
  if (MORTISE_HAS_BACKTRACE && !mortise::sanitized)
    EXPECT_THAT(text,
                ContainsRegex("2 tasks parked: fiber [0-9]+, fiber [0-9]+\n    waits_in_this_function"));
  for (int i = 0; i < 2'000; ++i) EXPECT_EQ(dump(), text);
  m.unlock();
  tasks.join();
}

// The bug: one that is woken while it is looked at is looked at for ever, or run on two threads.
TEST(dump, stops_nobody_who_parks_and_is_woken) {
  mortise::runtime r{{.workers = 2}};
  mortise::task_scope tasks{r};
  mortise::binary_semaphore there{0}, back{0};
  constexpr int rounds = 20'000;
  int visits = 0;  // in turn
  std::atomic<bool> over{false};
  tasks.go([&] {
    for (int i = 0; i < rounds; ++i) {
      there.release();
      back.acquire();
      ++visits;
    }
    over = true;
  });
  tasks.go([&] {
    for (int i = 0; i < rounds; ++i) {
      there.acquire();
      ++visits;
      back.release();
    }
  });
  while (!over) dump();
  tasks.join();
  EXPECT_EQ(visits, 2 * rounds);
}

// The bug: names outlive their locks, or do not reach what is inside.
TEST(named, is_the_name_of_all_that_is_within_while_it_lives) {
  mortise::guarded<int> g{1};
  const char* const last = reinterpret_cast<const char*>(&g) + sizeof g - 1;
  {
    const named name{g, "a\nname"};
    EXPECT_THAT(mortise::insight::name_of(&g), HasSubstr("'a?name' (0x"));
    EXPECT_THAT(mortise::insight::name_of(last), HasSubstr("'a?name' (0x"));
    EXPECT_THAT(mortise::insight::name_of(last + 1), Not(HasSubstr("name")));
  }
  EXPECT_THAT(mortise::insight::name_of(&g), testing::MatchesRegex("0x[0-9a-f]+"));
  const named cut{g, std::string(100, 'x')};
  EXPECT_THAT(mortise::insight::name_of(&g), HasSubstr("'" + std::string(63, 'x') + "'"));
}

int before_us = 0;

// The bug: the signal ends the program, is answered by nobody, or hides a handler that was there.
TEST(sigquit, is_answered_with_a_dump_and_the_program_goes_on) {
  ::signal(SIGQUIT, [](int) { ++before_us; });
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const int errors = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  mortise::insight::dump_on_sigquit();
  mortise::insight::dump_on_sigquit();
  mortise::mutex m;
  m.lock();
  std::jthread waiter{[&] { const std::lock_guard hold{m}; }};
  std::string text;
  for (int i = 0; i < 1'000 && text.find("1 party waits") == std::string::npos; ++i) {
    ::raise(SIGQUIT);
    char part[4096];
    text.append(part, static_cast<std::size_t>(std::max<ssize_t>(::read(ends[0], part, sizeof part), 0)));
  }
  ::dup2(errors, STDERR_FILENO);
  m.unlock();
  EXPECT_THAT(text, HasSubstr("mortise: 1 party waits\n"));
  EXPECT_GT(before_us, 0);
}

// The bug: a program that nobody asks pays for watching, or one that is asked is never watched.
TEST(sigquit, begins_the_watching_where_that_is_to_be_so) {
  if (mortise::wait::observers::any()) GTEST_SKIP() << "another test of this process has begun it";
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const int errors = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  mortise::insight::dump_on_sigquit(mortise::insight::stacks::kept, mortise::insight::watching::when_asked);
  EXPECT_FALSE(mortise::wait::observers::any());
  ::raise(SIGQUIT);
  char part[4096];
  const ssize_t n = ::read(ends[0], part, sizeof part);
  EXPECT_TRUE(mortise::wait::observers::any());
  ::dup2(errors, STDERR_FILENO);
  EXPECT_THAT(std::string(part, static_cast<std::size_t>(std::max<ssize_t>(n, 0))),
              HasSubstr("mortise: waits are watched since 100 ms"));
}

}  // namespace
