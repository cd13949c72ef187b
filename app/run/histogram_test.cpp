#include <gtest/gtest.h>
#include <app/run/histogram.hpp>

#include <memory>

namespace {

TEST(histogram, every_duration_lies_in_its_bucket) {  // the bug: a percentile that is off by a power of two
  for (std::uint64_t n = 1; n < (std::uint64_t{1} << 59); n = n * 9 / 8 + 1) {
    const unsigned b = app::histogram::bucket_of(n);
    EXPECT_LE(n, app::histogram::top_of(b));
    EXPECT_GT(n, app::histogram::top_of(b - 1));
    EXPECT_LE(static_cast<double>(app::histogram::top_of(b)), static_cast<double>(n) * 1.07);
  }
}

TEST(histogram, percentiles_are_those_of_what_was_recorded) {
  const auto h = std::make_unique<app::histogram>();
  EXPECT_EQ(h->summarise().max, 0u);
  for (int i = 1; i <= 1000; ++i) h->record(i * 1000);
  h->record(-5);  // a clock that stepped back counts as nothing
  const auto s = h->summarise();
  EXPECT_NEAR(static_cast<double>(s.p50), 500e3, 35e3);
  EXPECT_NEAR(static_cast<double>(s.p99), 990e3, 70e3);
  EXPECT_EQ(s.max, 1'000'000u);
}

}  // namespace
