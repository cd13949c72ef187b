#include <mortise/task/run_queue.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace {

using namespace mortise::task_detail;

TEST(run_queue, first_in_first_out_and_bounded) {
  auto q = std::make_unique<run_queue>();
  std::vector<task_block> tasks(run_queue::capacity + 1);
  EXPECT_EQ(q->pop(), nullptr);
  for (std::uint32_t i = 0; i < run_queue::capacity; ++i) ASSERT_TRUE(q->push(tasks[i]));
  EXPECT_FALSE(q->push(tasks.back()));
  EXPECT_EQ(q->room(), 0u);
  EXPECT_EQ(q->peek(3), &tasks[3]);
  for (std::uint32_t i = 0; i < run_queue::capacity; ++i) ASSERT_EQ(q->pop(), &tasks[i]);
  EXPECT_EQ(q->pop(), nullptr);
}

TEST(run_queue, thief_takes_the_older_half) {
  auto q = std::make_unique<run_queue>(), mine = std::make_unique<run_queue>();
  std::vector<task_block> tasks(7);
  for (auto& t : tasks) q->push(t);
  EXPECT_EQ(q->steal_into(*mine), 4u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(mine->pop(), &tasks[i]);
  for (int i = 4; i < 7; ++i) EXPECT_EQ(q->pop(), &tasks[i]);
  EXPECT_EQ(q->steal_into(*mine), 0u);
}

// The bug: a task run twice or lost between its owner and thieves.
TEST(run_queue, each_task_comes_out_once) {
  constexpr int rounds = 200'000;
  auto q = std::make_unique<run_queue>();
  std::vector<task_block> tasks(rounds);
  std::vector<mortise::atomic<int>> seen(rounds);
  auto see = [&](const task_block* t) { seen[static_cast<std::size_t>(t - tasks.data())].fetch_add(1); };
  mortise::atomic<bool> done{false};
  std::vector<std::jthread> thieves;
  for (int i = 0; i < 2; ++i) {
    thieves.emplace_back([&] {
      auto mine = std::make_unique<run_queue>();
      for (bool last = false; !last;) {
        last = done.load();
        while (q->steal_into(*mine) != 0) {
          while (const task_block* t = mine->pop()) see(t);
        }
      }
    });
  }
  for (int i = 0; i < rounds; ++i) {
    while (!q->push(tasks[i])) {
      if (const task_block* t = q->pop()) see(t);
    }
    if (i % 3 == 0) {
      if (const task_block* t = q->pop()) see(t);
    }
  }
  done.store(true);
  thieves.clear();
  while (const task_block* t = q->pop()) see(t);
  for (const auto& s : seen) ASSERT_EQ(s.load(), 1);
}

}  // namespace
