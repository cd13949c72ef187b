// Each case opens with the bug that it would show.
#include <mortise/cluster/durations.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace {

using mortise::cluster::durations;

// The bug: a duration is in two buckets or none, or outside its bucket's bounds.
TEST(durations, every_length_has_its_bucket) {
  std::uint64_t below = 0;
  for (unsigned b = 0; b + 1 < durations::buckets; ++b) {
    const std::uint64_t top = durations::top_of(b);
    EXPECT_EQ(durations::bucket_of(below + 1), b);
    EXPECT_EQ(durations::bucket_of(top), b);
    if (b > 0) EXPECT_LE(top - below, below / 4 + 1) << "told to 25 %";
    below = top;
  }
  EXPECT_EQ(below, std::uint64_t{1} << durations::last_power);
  EXPECT_EQ(durations::bucket_of(0), 0u);
  EXPECT_EQ(durations::bucket_of(below + 1), durations::buckets - 1);
  EXPECT_EQ(durations::bucket_of(~std::uint64_t{0}), durations::buckets - 1);
}

// The bug: what is exactly at a bound of a histogram is counted above it, or one of many is not counted.
TEST(durations, bounds_are_exact_and_sums_are_sums) {
  durations d, other;
  std::mt19937_64 random{7};
  std::uint64_t n = 0, sum = 0, within = 0, longest = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::uint64_t ns = random() >> (20 + random() % 44);
    if (i % 3 == 0) ns = std::uint64_t{1} << (random() % 40);
    (i % 2 == 0 ? d : other).record(static_cast<mortise::nanos>(ns));
    ++n;
    sum += ns;
    within += ns <= std::uint64_t{1} << 20;
    longest = std::max(longest, ns);
  }
  d.record(-5);  // a clock that went back
  ++n;
  ++within;
  d += other;
  EXPECT_EQ(d.count(), n);
  EXPECT_EQ(d.sum_ns(), sum);
  EXPECT_EQ(d.within_power(20), within);
  EXPECT_EQ(d.longest_ns(), longest);
}

// The bug: a percentile that is too low.
TEST(durations, percentiles_are_right_to_a_quarter) {
  durations d;
  EXPECT_EQ(d.percentile(0.5), 0u);
  for (int i = 1; i <= 1000; ++i) d.record(i * 10'000);
  for (const double share : {0.01, 0.5, 0.9, 0.99}) {
    const auto exact = static_cast<std::uint64_t>(share * 10'000'000);
    EXPECT_GE(d.percentile(share), exact);
    EXPECT_LE(d.percentile(share), exact + exact / 4);
  }
  EXPECT_EQ(d.percentile(1), 10'000'000u);
}

}  // namespace
