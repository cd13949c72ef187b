#include <mortise/wait/executor.hpp>

#include <gtest/gtest.h>

#include <thread>

#include <mortise/base/atomic.hpp>

namespace {

namespace wait = mortise::wait;

struct counted : wait::job {
  mortise::atomic<int> runs{0};
  counted() {
    run = [](wait::job& j) noexcept { ++static_cast<counted&>(j).runs; };
  }
};

// The bug: a job that comes just when the thread goes to sleep, or long after, is never run.
TEST(default_executor, job_that_comes_at_whatever_moment_is_run) {
  counted job;
  for (int i = 1; i <= 20'000; ++i) {
    wait::default_executor().post(job);
    while (job.runs != i) {}
    if (i % 5000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

TEST(default_executor, jobs_run_in_their_order) {
  struct numbered : wait::job {
    int number = 0;
  };
  static mortise::atomic<int> next{0};
  static int wrong = 0;
  numbered jobs[100];
  for (int i = 0; i < 100; ++i) {
    jobs[i].number = i;
    jobs[i].run = [](wait::job& j) noexcept {
      wrong += static_cast<numbered&>(j).number != next.load();
      ++next;
    };
    wait::default_executor().post(jobs[i]);
  }
  while (next != 100) std::this_thread::yield();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
