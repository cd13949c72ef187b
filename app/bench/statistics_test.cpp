#include <app/bench/statistics.hpp>

#include <gtest/gtest.h>

namespace app::bench {
namespace {

// The bug: samples come in the order of the repetitions; a median of unsorted ones is the third repetition.
TEST(statistics, median_is_the_middle_whatever_the_order) {
  EXPECT_EQ((figure{"ns", {9, 1, 5, 7, 3}}.median()), 5);
  EXPECT_EQ((figure{"ns", {4, 1, 3, 2}}.median()), 2.5);
  EXPECT_EQ((figure{"ns", {8}}.median()), 8);
}

// The bug: a spread that starts from 0 hides the smallest sample.
TEST(statistics, spread_is_from_the_least_to_the_most) {
  const figure f{"ns", {9, 4, 6}};
  EXPECT_EQ(f.least(), 4);
  EXPECT_EQ(f.most(), 9);
}

TEST(statistics, a_figure_is_found_by_its_whole_name) {
  const figures all{{"wait_p99_ns", {1}}, {"wait_p999_ns", {2}}};
  EXPECT_EQ(find(all, "wait_p999_ns"), &all[1]);
  EXPECT_EQ(find(all, "wait"), nullptr);
}

}  // namespace
}  // namespace app::bench
