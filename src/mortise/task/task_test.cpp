#include <mortise/task/task.hpp>

#include <gtest/gtest.h>

#include <memory>

namespace {

mortise::task<> runs(bool& ran, [[maybe_unused]] std::shared_ptr<int> kept) {
  ran = true;
  co_return;
}

// The bug: a coroutine begins when it is made, or one that nobody awaits is leaked with its arguments.
TEST(task, one_that_is_never_awaited_never_runs_and_is_freed) {
  bool ran = false;
  const auto kept = std::make_shared<int>(0);
  {
    const mortise::task<> t = runs(ran, kept);
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_FALSE(ran);
  EXPECT_EQ(kept.use_count(), 1);
}

}  // namespace
