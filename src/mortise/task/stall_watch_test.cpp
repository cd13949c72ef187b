#include <mortise/task/stall_watch.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <mortise/task/blocking.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task_scope.hpp>
#include <mortise/task/this_task.hpp>

namespace {

using namespace std::chrono_literals;

std::mutex guard;
std::vector<std::string> lines;  // under guard
mortise::atomic<unsigned> kept{0};

void keep(const char* line) noexcept {
  {
    const std::lock_guard hold{guard};
    lines.emplace_back(line);
  }
  ++kept;
}

// How many reports there are with `part` in them.
long reports_of(const std::string& part) {
  const std::lock_guard hold{guard};
  return std::count_if(lines.begin(), lines.end(),
                       [&](const std::string& l) { return l.find(part) != l.npos; });
}

struct stall_watch : testing::Test {
  stall_watch() {
    const std::lock_guard hold{guard};
    lines.clear();
  }
};

mortise::runtime_options watched(unsigned workers, const char* name, std::chrono::milliseconds limit = 20ms) {
  return {.workers = workers, .name = name, .stall_report = limit, .report_stall = keep};
}

// Computes until there are `n` reports of `name`. It does not stand on the lock, which the reporting thread needs.
void compute_until(const char* name, long n) {
  for (unsigned seen = kept; reports_of(name) < n; seen = kept) {
    while (kept == seen) {}
  }
}

// Is reported `times` more often, coming back to the scheduler in between.
void stall(const char* name, long times) {
  mortise::this_task::name(name);
  for (long n = reports_of(name) + 1; times > 0; --times, ++n) {
    mortise::yield();
    compute_until(name, n);
  }
}

TEST_F(stall_watch, task_that_computes_is_named) {
  mortise::runtime rt{watched(1, "computes")};
  mortise::task_scope tasks{rt};
  tasks.go([] { stall("miner", 2); });
  tasks.go([]() -> mortise::task<> {
    stall("weaver", 1);
    co_return;
  });
  tasks.join();
  const std::lock_guard hold{guard};
  EXPECT_THAT(
      lines, testing::Contains(testing::ContainsRegex(
                 "^mortise: worker 0 of runtime 'computes' has not come back to its scheduler for [0-9]+ ms: "
                 "fiber [0-9]+ 'miner' keeps it; .*mortise::blocking")));
  EXPECT_THAT(lines, testing::Contains(testing::ContainsRegex("coroutine [0-9]+ 'weaver' keeps it")));
}

// The bug: only time on a processor counts, or what blocks is not seen as it does not run. Here it reads its own report.
TEST_F(stall_watch, task_that_blocks_its_thread_is_named_on_standard_error) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int before = ::dup(STDERR_FILENO);
  ASSERT_GE(::dup2(ends[1], STDERR_FILENO), 0);
  std::string line;
  {
    mortise::runtime rt{{.workers = 1, .name = "reads", .stall_report = 20ms}};
    mortise::task_scope tasks{rt};
    tasks.go([&] {
      while (line.find('\n') == line.npos) {
        char c = 0;
        if (::read(ends[0], &c, 1) == 1) line += c;
      }
    });
    tasks.join();
  }
  ::dup2(before, STDERR_FILENO);
  for (int fd : {ends[0], ends[1], before}) ::close(fd);
  EXPECT_THAT(
      line,
      testing::ContainsRegex(
          "^mortise: worker 0 of runtime 'reads' has not come back to its scheduler for [0-9]+ ms: fiber [0-9]+ keeps it;"));
}

// The control, and the cure. The call is blocked for as long as it takes to report three other stalls, each at least as long as it
// would take to report this one. A longer limit, since a lock of the library may keep it waiting on a crowded machine.
TEST_F(stall_watch, call_made_with_blocking_is_no_stall) {
  mortise::runtime rt{watched(2, "cure", 100ms)};
  mortise::task_scope tasks{rt};
  tasks.go([] {
    mortise::blocking([] {});  // starts the thread, for which under ThreadSanitizer its worker waits
    mortise::this_task::name("patient");
    mortise::blocking([] {
      while (reports_of("hog") < 3) ::usleep(1000);
    });
  });
  tasks.go([] { stall("hog", 3); });
  tasks.join();
  EXPECT_EQ(reports_of("patient"), 0);
}

TEST_F(stall_watch, one_stall_is_reported_once) {
  mortise::runtime rt{watched(2, "once")};
  mortise::task_scope tasks{rt};
  tasks.go([] {
    mortise::this_task::name("sleeper");
    while (reports_of("clock") < 4 || reports_of("sleeper") == 0) ::usleep(1000);
  });
  tasks.go([] { stall("clock", 4); });
  tasks.join();
  EXPECT_EQ(reports_of("sleeper"), 1);
}

TEST_F(stall_watch, zero_is_off) {
  mortise::runtime off{{.workers = 1, .name = "off", .stall_report = 0ms, .report_stall = keep}};
  mortise::runtime on{watched(1, "on")};
  mortise::task_scope not_seen{off}, seen{on};
  not_seen.go([] {
    mortise::this_task::name("unseen");
    while (reports_of("seen one") < 3) ::usleep(1000);
  });
  seen.go([] { stall("seen one", 3); });
  seen.join();
  not_seen.join();
  EXPECT_EQ(reports_of("unseen"), 0);
}

TEST_F(stall_watch, options_out_of_range_are_refused) {
  EXPECT_THROW(mortise::runtime({.stall_report = -1ms}), std::invalid_argument);
  EXPECT_THROW(mortise::runtime({.stall_report = 2h}), std::invalid_argument);
}

}  // namespace
