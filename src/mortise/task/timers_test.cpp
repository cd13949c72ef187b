#include <mortise/task/timers.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include <mortise/task/worker.hpp>

namespace {

using namespace mortise::task_detail;
using mortise::nanos;
using mortise::now_ns;

class timers_test : public testing::Test {
 protected:
  struct firing {
    task_block* task;
    nanos at;
  };
  std::vector<firing> advance_to(nanos now, unsigned limit = 1'000'000) {
    std::vector<firing> fired;
    m_timers->advance(now, limit, [&](task_block& t, std::uint16_t round, nanos) {
      if (t.timer_round.load() == round) fired.push_back({&t, now});
    });
    return fired;
  }
  task_block& task() { return *m_tasks.emplace_back(std::make_unique<task_block>()); }

  std::unique_ptr<timers> m_timers = std::make_unique<timers>();
  std::vector<std::unique_ptr<task_block>> m_tasks;
  nanos m_start = now_ns();
};

TEST_F(timers_test,
       nothing_fires_early_or_is_forgotten) {  // the bug: a wrong slot, at a slot's edge or beyond the wheel
  std::mt19937_64 random{1};
  std::vector<std::pair<nanos, task_block*>> all;
  for (int i = 0; i < 20'000; ++i) {
    static constexpr nanos reach[] = {70'000, 3'000'000, 140'000'000, 5'000'000'000};
    const nanos deadline = m_start + static_cast<nanos>(random() % static_cast<std::uint64_t>(reach[i % 4]));
    all.emplace_back(deadline, &task());
    ASSERT_TRUE(m_timers->add(deadline, *all.back().second));
  }
  std::sort(all.begin(), all.end());
  std::size_t next = 0;
  for (nanos now = m_start; next < all.size(); now += static_cast<nanos>(random() % 2'000'000)) {
    std::size_t due = next;
    while (due < all.size() && all[due].first <= now) ++due;
    ASSERT_EQ(advance_to(now).size(), due - next) << "at " << now - m_start;
    next = due;
    if (next < all.size()) {
      ASSERT_EQ(m_timers->next(), all[next].first);
    }
  }
  EXPECT_TRUE(m_timers->empty());
}

TEST_F(timers_test, deadlines_of_the_present_fire_in_their_order) {
  task_block &a = task(), &b = task(), &c = task();
  m_timers->add(m_start + 300, c);
  m_timers->add(m_start + 100, a);
  m_timers->add(m_start + 200, b);
  EXPECT_TRUE(advance_to(m_start + 99).empty());
  ASSERT_EQ(advance_to(m_start + 100).size(), 1u);
  const auto rest = advance_to(m_start + 1000);
  ASSERT_EQ(rest.size(), 2u);
  EXPECT_EQ(rest[0].task, &b);
  EXPECT_EQ(rest[1].task, &c);
}

TEST_F(timers_test,
       limit_leaves_the_rest_for_the_next_look) {  // the bug: what did not fit into the queue is lost
  for (int i = 0; i < 1000; ++i) m_timers->add(m_start + i * 1000, task());
  std::size_t fired = 0;
  for (int i = 0; i < 100; ++i) fired += advance_to(m_start + 10'000'000, 10).size();
  EXPECT_EQ(fired, 1000u);
  EXPECT_TRUE(m_timers->empty());
}

TEST_F(
    timers_test,
    deadlines_added_while_late_still_fire) {  // the bug: a deadline in a slot that is being drained is lost
  for (int i = 0; i < 500; ++i) m_timers->add(m_start + i * 10'000, task());
  std::size_t fired = 0;
  for (int i = 0; i < 1000 && fired < 1000; ++i) {
    fired += advance_to(m_start + 5'000'000, 7).size();
    if (i < 500) m_timers->add(m_start + 2'500'000 + i, task());
  }
  EXPECT_EQ(fired, 1000u);
}

TEST_F(timers_test, void_deadlines_do_not_pile_up) {  // the bug: a loop of try_lock_for(1h) eats all memory
  task_block &t = task(), &still_waits = task();
  ASSERT_TRUE(m_timers->add(m_start + 3'600'000'000'000, still_waits));
  for (int i = 0; i < 200'000; ++i) {
    ASSERT_TRUE(m_timers->add(m_start + 3'600'000'000'000, t));
    t.timer_round.fetch_add(1);
    m_timers->voided();
  }
  EXPECT_LT(m_timers->far_size(), 10'000u);
  EXPECT_EQ(advance_to(m_start + 3'700'000'000'000).size(), 1u);  // nor is a living one swept out
}

// The bug: a sleep of an hour is swept away with the void limits around it, and never ends.
TEST_F(timers_test, a_sleeper_is_never_void) {
  task_block& asleep = task();
  ASSERT_TRUE(m_timers->add_sleeper(m_start + 3'600'000'000'000, asleep));
  task_block& t = task();
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(m_timers->add(m_start + 3'600'000'000'000, t));
    t.timer_round.fetch_add(1);
    m_timers->voided();
  }
  EXPECT_LT(m_timers->far_size(), 5'000u);  // it was swept
  std::vector<task_block*> sleepers;
  m_timers->advance(m_start + 3'700'000'000'000, 1'000'000, [&](task_block& x, std::uint16_t round, nanos) {
    if (round == timers::sleeper) sleepers.push_back(&x);
  });
  EXPECT_EQ(sleepers, std::vector{&asleep});
}

// The bug: a limit is taken for a sleep once in 65,536 waits, and ends one that is not its own.
TEST_F(timers_test, no_wait_comes_into_the_sleepers_round) {
  task_block& t = task();
  for (int i = 0; i < 70'000; ++i) {
    const std::uint16_t before = t.timer_round.load();
    worker::end_of_limit(t, nullptr);
    ASSERT_NE(t.timer_round.load(), before);
    ASSERT_NE(t.timer_round.load(), timers::sleeper);
  }
}

TEST_F(timers_test, a_long_idle_time_is_no_trouble) {
  m_timers->add(m_start + 1000, task());
  EXPECT_EQ(advance_to(m_start + 60'000'000'000).size(), 1u);
  m_timers->add(m_start + 60'001'000'000, task());
  EXPECT_EQ(m_timers->next(), m_start + 60'001'000'000);
  EXPECT_TRUE(advance_to(m_start + 60'000'999'999).empty());
  EXPECT_EQ(advance_to(m_start + 60'001'000'000).size(), 1u);
}

}  // namespace
