#include <mortise/task/stalled_for.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include <mortise/base/atomic.hpp>
#include <mortise/task/task_block.hpp>

namespace {

using mortise::nanos;
using mortise::task_detail::glimpse;
using mortise::task_detail::schedule;
using mortise::task_detail::schedule_of;
using mortise::task_detail::stalled_for;

constexpr nanos period = 25'000'000;

struct stalled : testing::Test {
  stalled_for s;
  schedule thread;
  mortise::task_detail::task_block one, other;
  nanos look(glimpse g) {
    return s.look(g, period, [this] { return thread; });
  }
  // The worker runs, or is blocked, all the time between two looks.
  nanos look_after(nanos ran, nanos waited, bool runnable, glimpse g) {
    thread.ran += ran;
    thread.waited += waited;
    thread.runnable = runnable;
    return look(g);
  }
};

TEST_F(stalled, time_in_one_task_counts_running_or_blocked) {
  EXPECT_EQ(look({7, &one}), 0);
  EXPECT_EQ(look_after(period, 0, true, {7, &one}), 0);  // from here on
  EXPECT_EQ(look_after(period, 0, true, {7, &one}), period);
  EXPECT_EQ(look_after(0, 0, false, {7, &one}), 2 * period);
  EXPECT_EQ(look_after(0, 0, false, {7, &one}), 3 * period);
}

// The bug: a worker that runs many short tasks, or the same one again and again, or none, counts as stalled.
TEST_F(stalled, each_turn_begins_anew) {
  look({7, &one}), look({7, &one}), look({7, &one});
  EXPECT_EQ(look({8, &one}), 0);
  EXPECT_EQ(look({8, &other}), 0);
  EXPECT_EQ(look({8, nullptr}), 0);
  EXPECT_EQ(look({8, nullptr}), 0);
  EXPECT_EQ(look({8, nullptr}), 0);
}

// The bug: on an overloaded machine everybody is reported; or nobody, since more is deducted than the looks are apart.
TEST_F(stalled, time_without_a_processor_does_not_count) {
  look({7, &one});
  look_after(1'000'000, 0, true, {7, &one});
  EXPECT_EQ(look_after(0, 0, true, {7, &one}), 0);  // waits now
  EXPECT_EQ(look_after(3'000'000, 4 * period, true, {7, &one}), 3'000'000);
  EXPECT_EQ(look_after(3'000'000, 4 * period, true, {7, &one}), 6'000'000);
  EXPECT_EQ(look_after(0, period / 5, false, {7, &one}), 6'000'000 + period * 4 / 5);
}

// The bug: a debugger stops the process for a minute, and all that ran at that moment is reported.
TEST_F(stalled, late_look_counts_as_one) {
  look({7, &one});
  look_after(1'000'000, 0, false, {7, &one});
  EXPECT_EQ(look_after(0, 0, false, {7, &one}), period);
  EXPECT_EQ(look_after(60 * period, 0, true, {7, &one}),
            61 * period);  // unless it ran, by the kernel's account
}

TEST_F(stalled, all_counts_where_the_kernel_keeps_no_account) {
  look({7, &one}), look({7, &one});
  EXPECT_EQ(look({7, &one}), period);
  thread.runnable = true;
  EXPECT_EQ(look({7, &one}), 2 * period);
}

TEST_F(stalled, is_news_once) {
  look({7, &one});
  EXPECT_TRUE(s.is_news());
  look({7, &one});
  EXPECT_FALSE(s.is_news());
  look({8, &one});
  EXPECT_TRUE(s.is_news());
}

TEST(schedule, tells_a_thread_that_runs_from_one_that_is_blocked) {
  mortise::atomic<int> id{0};
  mortise::atomic<bool> spin{true}, end{false};
  std::thread t([&] {
    id = ::gettid();
    while (spin) {}
    while (!end) ::usleep(1000);
  });
  while (id == 0) std::this_thread::yield();
  const schedule first = schedule_of(id);
  if (first.ran == 0 && first.waited == 0 && !first.runnable) {
    spin = false, end = true;
    t.join();
    GTEST_SKIP() << "this kernel does not tell";
  }
  while (!schedule_of(id).runnable) {}
  while (schedule_of(id).ran <= first.ran) {}
  spin = false;
  while (schedule_of(id).runnable) {}
  end = true;
  t.join();
  EXPECT_FALSE(schedule_of(-1).runnable);  // nobody
}

}  // namespace
