// Who looks on is told of switches between tasks if it asked for them, and nobody pays for them otherwise.
#include <mortise/wait/observer.hpp>

#include <gtest/gtest.h>

#include <atomic>

#include <mortise/task/runtime.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task_scope.hpp>

namespace {

using mortise::wait::observers;

// Kept for good: what is told late must find somebody.
class witness final : public mortise::wait::observer {
 public:
  explicit witness(of what) : mortise::wait::observer{what} { mortise::wait::observe(*this); }

  void enters(const mortise::wait::parker&, mortise::wait::party, unsigned) noexcept override { ++entered; }
  void leaves(const mortise::wait::parker&, const char*) noexcept override { ++left; }
  void wakes(const mortise::wait::parker&) noexcept override { ++woken; }

  std::atomic<int> entered{0}, left{0}, woken{0};
};

void switch_between_tasks() {
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  for (int i = 0; i < 2; ++i) {
    tasks.go([] {
      for (int turn = 0; turn < 10; ++turn) mortise::yield();
    });
  }
  tasks.join();
}

// The bug: the profile, which asks for waits alone, costs every switch between tasks 7 ns: an eighth of what tasks did that only take turns.
TEST(observed_tasks, only_those_who_ask_are_told_of_switches) {
  static auto& of_waits = *new witness{witness::of::waits};
  switch_between_tasks();
  EXPECT_TRUE(observers::any());
  EXPECT_FALSE(observers::any_of_tasks());
  EXPECT_EQ(of_waits.entered + of_waits.left + of_waits.woken, 0);

  static auto& of_tasks = *new witness{witness::of::tasks_too};
  mortise::wait::observe(of_tasks);  // twice is once
  EXPECT_TRUE(observers::any_of_tasks());
  switch_between_tasks();
  EXPECT_GE(of_tasks.entered, 2);  // each begins, and ends; a yield is none where nobody else can run
  EXPECT_GE(of_tasks.left, 2);
  EXPECT_EQ(of_waits.entered + of_waits.left + of_waits.woken, 0);

  mortise::wait::ignore(of_tasks);
  mortise::wait::ignore(of_tasks);
  EXPECT_FALSE(observers::any_of_tasks());
  mortise::wait::ignore(of_waits);
}

}  // namespace
