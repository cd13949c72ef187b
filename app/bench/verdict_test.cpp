// A loss reads as a loss, a missing peer leaves a bar open, and what failed meets nothing.
#include <app/bench/bars.hpp>
#include <app/bench/verdict.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace app::bench {
namespace {

using testing::HasSubstr;

outcome measured(const std::string& contender, const std::string& figure, std::vector<double> samples) {
  return {{"w", contender, "k", {}, {}},
          "P0",
          static_cast<unsigned>(samples.size()),
          {{figure, std::move(samples)}}};
}

// The bug: a comparison the wrong way round shows every loss as a win.
TEST(verdict, a_median_on_the_wrong_side_is_not_met) {
  const bar more{"P0", "ops_per_s", sense::at_least, 10}, less{"P0", "ns", sense::at_most, 10};
  const auto judged = [](const bar& b, double median) {
    const outcome o = measured("mortise", b.figure, {median});
    return *judge(b, o, {o}).met;
  };
  EXPECT_TRUE(judged(more, 10));
  EXPECT_FALSE(judged(more, 9.99));
  EXPECT_TRUE(judged(less, 10));
  EXPECT_FALSE(judged(less, 10.01));
}

// The bug: the best repetition counts instead of the median.
TEST(verdict, the_median_counts) {
  const outcome o = measured("mortise", "ns", {1, 20, 30});
  const verdict v = judge({"P0", "ns", sense::at_most, 10}, o, {o});
  EXPECT_EQ(v.measured, 20);
  EXPECT_EQ(v.met, false);
}

// The bug: a ratio against the weaker of two peers flatters us.
TEST(verdict, the_best_of_the_peers_counts) {
  const std::vector<outcome> all{measured("mortise", "ops_per_s", {30}), measured("a", "ops_per_s", {10}),
                                 measured("b", "ops_per_s", {20})};
  const verdict v =
      judge({"P0", "ops_per_s", sense::at_least, 2, {}, "go", {"w/a/kind:k", "w/b/kind:k"}}, all[0], all);
  EXPECT_EQ(v.measured, 1.5);
  EXPECT_EQ(v.against_bench, "w/b/kind:k");
  EXPECT_EQ(v.met, false);
  const std::vector<outcome> ns{measured("mortise", "ns", {5}), measured("a", "ns", {10}),
                                measured("b", "ns", {20})};
  EXPECT_EQ(
      judge({"P0", "ns", sense::at_most, 0.6, {}, "go", {"w/a/kind:k", "w/b/kind:k"}}, ns[0], ns).measured,
      0.5);
}

// The bug: a peer that is not there turns into a bar that is met, or into a failure of ours.
TEST(verdict, a_missing_peer_leaves_a_ratio_open) {
  outcome absent{{"w", "a", "k", {}, {}}, "P0"};
  absent.skipped = "contender-a is not built";
  const bar b{"P0", "ns", sense::at_most, 0.6, {}, "std", {"w/a/kind:k"}};
  for (const std::vector<outcome>& all :
       {std::vector<outcome>{measured("mortise", "ns", {5}), absent}, {measured("mortise", "ns", {5})}}) {
    const verdict v = judge(b, all[0], all);
    EXPECT_FALSE(v.met.has_value());
    EXPECT_FALSE(v.measured.has_value());
    EXPECT_EQ(v.note, "no std");
  }
}

// The bug: what crashed in one repetition of five passes on the four others.
TEST(verdict, a_failure_in_any_repetition_meets_no_bar) {
  outcome ours = measured("mortise", "ns", {1, 1, 1, 1});
  ours.failed = "signal 11: no word";
  const verdict v = judge({"P0", "ns", sense::at_most, 10}, ours, {ours});
  EXPECT_EQ(v.met, false);
  EXPECT_EQ(v.note, "signal 11: no word");
}

// The bug: a peer that crashed half way is taken as the measure.
TEST(verdict, a_peer_that_failed_is_no_peer) {
  outcome peer = measured("a", "ns", {100});
  peer.failed = "exit 1: the counter does not add up";
  const std::vector<outcome> all{measured("mortise", "ns", {5}), peer};
  EXPECT_FALSE(
      judge({"P0", "ns", sense::at_most, 0.6, {}, "std", {"w/a/kind:k"}}, all[0], all).met.has_value());
}

// The bug: two workers that starve all but one party pass as faster than one worker.
TEST(verdict, a_bar_on_fair_runs_does_not_apply_to_others) {
  std::vector<outcome> all{measured("mortise", "ops_per_s", {30}), measured("a", "ops_per_s", {10})};
  all[0].figures.push_back({"share", {0.4}});
  all[1].figures.push_back({"share", {0.9}});
  const bar p7 = bars::p7("w/a/kind:k", false);
  EXPECT_FALSE(judge(p7, all[0], all).met.has_value());
  EXPECT_THAT(judge(p7, all[0], all).note, HasSubstr("share of 0.40"));
  all[0].figures.back().samples = {0.5};
  EXPECT_EQ(judge(p7, all[0], all).met, true);
}

TEST(verdict, the_moonshot_is_beyond_the_bar) {
  EXPECT_TRUE(is_moonshot(bars::p5("x"), 0.5));
  EXPECT_FALSE(is_moonshot(bars::p5("x"), 0.51));
  EXPECT_FALSE(is_moonshot(bars::p12(), 0.2));
  EXPECT_FALSE(is_moonshot(bars::p6a_ops("x"), 100));  // has none
}

}  // namespace
}  // namespace app::bench
