#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include <mortise/lock/latch.hpp>
#include <support/foreign.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::outcome;

template <class Latch>
struct any_latch : testing::Test {};
using latches = testing::Types<std::latch, mortise::latch>;  // control: the standard's
TYPED_TEST_SUITE(any_latch, latches);

TYPED_TEST(any_latch, lets_go_at_zero_and_not_before) {
  TypeParam done{3};
  int plain[3] = {};  // the latch is all that orders it
  {
    std::vector<std::jthread> threads;
    for (int& x : plain) {
      threads.emplace_back([&] {
        x = 1;
        done.count_down();
      });
    }
    done.wait();
    EXPECT_EQ(plain[0] + plain[1] + plain[2], 3);
  }
  EXPECT_TRUE(done.try_wait());
  done.wait();
}

TYPED_TEST(any_latch, several_arrive_and_wait) {
  for (int round = 0; round < 200; ++round) {
    TypeParam all{4};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back([&] { all.arrive_and_wait(); });
    all.arrive_and_wait();
  }
}

TYPED_TEST(any_latch, that_is_at_zero_is_not_waited_for) {
  TypeParam none{0};
  none.count_down(0);
  none.arrive_and_wait(0);
  TypeParam two{2};
  EXPECT_FALSE(two.try_wait());
  two.count_down(2);
  two.wait();
}

// The bug: who waited frees it while the last count_down is still at it (AddressSanitizer sees that).
TEST(latch, may_be_destroyed_by_who_waited) {
  for (int round = 0; round < 2000; ++round) {
    auto done = std::make_unique<mortise::latch>(1);
    std::jthread last([&l = *done] { l.count_down(); });
    done->wait();
    done.reset();
  }
}

foreign::coroutine wait_once(mortise::latch& done, foreign::manual_executor& ex, int& gone) {
  co_await done.async_wait(&ex);
  ++gone;
}

foreign::coroutine note_its_turn(mortise::latch& done, foreign::manual_executor& ex, std::vector<int>& gone,
                                 int me) {
  co_await done.async_wait(&ex);
  gone.push_back(me);
}

// The bug: who was told goes to the back, and takes others with it, or is told again.
TEST(latch, lets_each_of_a_crowd_go_once_and_in_order) {
  for (const int crowd : {1, 2, 3, 16, 17, 33}) {
    mortise::latch done{1};
    foreign::manual_executor ex;
    std::vector<int> gone, all;
    std::vector<foreign::coroutine> waiting;
    for (int i = 0; i < crowd; ++i) {
      waiting.push_back(note_its_turn(done, ex, gone, i));
      all.push_back(i);
    }
    done.count_down();
    EXPECT_EQ(ex.size(), static_cast<std::size_t>(crowd));
    while (ex.run_all() != 0) {}
    EXPECT_EQ(gone, all);
  }
}

// The bug: only as many are woken as one wake can tell.
TEST(latch, lets_many_go_at_once) {
  mortise::latch done{1};
  foreign::manual_executor ex;
  int gone = 0;
  std::vector<foreign::coroutine> waiting;
  for (int i = 0; i < 100; ++i) waiting.push_back(wait_once(done, ex, gone));
  waiting[50].destroy();
  EXPECT_TRUE(ex.empty());
  done.count_down();
  EXPECT_EQ(ex.run_all(), 99u);
  EXPECT_EQ(gone, 99);
}

TEST(latch, bounds_end_a_wait) {
  mortise::latch done{1};
  EXPECT_FALSE(done.wait_for(1ms));
  std::stop_source source;
  std::jthread stops([&] { source.request_stop(); });
  EXPECT_EQ(done.wait_or_stop(source.get_token()), outcome::stopped);
  done.count_down();
  EXPECT_TRUE(done.wait_for(0s));
  EXPECT_EQ(done.wait_or_stop(source.get_token()), outcome::acquired);
}

TEST(latch_death_test, never_gets_below_zero) {
  mortise::latch done{1};
  EXPECT_DEATH(done.count_down(2), "count_down\\(2\\) of the latch at .* of which 1 are left");
  EXPECT_DEATH(done.count_down(-1), "count_down\\(-1\\)");
}

}  // namespace
