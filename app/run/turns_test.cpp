#include <gtest/gtest.h>

#include <app/run/turns.hpp>
#include <cstdint>
#include <vector>

namespace {

// The bug: tasks fall between two buckets, or all of them into one.
TEST(turns, every_task_is_in_the_one_bucket_that_it_belongs_to) {
  for (const std::uint64_t step : {0u, 1u, 3u, 1000u}) {
    std::vector<std::uint64_t> given;
    for (std::uint64_t i = 0; i < 500; ++i) given.push_back(7 + i * step);
    const app::turn_distribution d = app::distribute(given);
    EXPECT_EQ(d.least, 7u);
    EXPECT_EQ(d.most, 7 + 499 * step);
    EXPECT_EQ(d.median, 7 + 250 * step);
    EXPECT_LE(d.histogram.size(), 32u);
    EXPECT_GE(d.histogram.size(), step == 0 ? 1u : 16u);
    std::uint64_t edge = 7;
    for (const app::bucket& b : d.histogram) {
      EXPECT_EQ(b.from, edge);
      std::uint64_t inside = 0;
      for (const std::uint64_t n : given) inside += n >= b.from && n < b.to;
      EXPECT_EQ(b.count, inside);
      edge = b.to;
    }
    EXPECT_GT(edge, d.most);
  }
  EXPECT_TRUE(app::distribute({}).histogram.empty());
}

// The bug: the turns of a start that takes as long as the run count for who was started first.
TEST(turns, only_those_since_the_beginning_count) {
  app::turns t;
  EXPECT_FALSE(t.kept());
  t.keep(2);
  t.add(0);
  t.begin();
  t.add(1);
  t.add(1);
  t.add(0);
  EXPECT_EQ(t.since_begin(), (std::vector<std::uint64_t>{1, 2}));
}

}  // namespace
