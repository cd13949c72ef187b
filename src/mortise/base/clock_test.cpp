#include <mortise/base/clock.hpp>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using mortise::never;
using mortise::to_nanos;

// The bug: a wait that is early by less than a nanosecond, or by all of a duration that is less than one.
TEST(clock, parts_of_a_nanosecond_count_as_one) {
  using picoseconds = std::chrono::duration<std::int64_t, std::pico>;
  using float_seconds = std::chrono::duration<float>;
  EXPECT_EQ(to_nanos(picoseconds{1}), 1);
  EXPECT_EQ(to_nanos(picoseconds{1000}), 1);
  EXPECT_EQ(to_nanos(picoseconds{1001}), 2);
  EXPECT_EQ(to_nanos(std::chrono::duration<double, std::nano>{1.5}), 2);
  EXPECT_EQ(to_nanos(float_seconds{1}), 1'000'000'000);
}

// The bug: a long wait whose deadline is before the beginning of time, and so is over at once.
TEST(clock, what_does_not_fit_lasts_for_ever) {
  EXPECT_EQ(to_nanos(std::chrono::hours::max()), never);
  EXPECT_EQ(to_nanos(std::chrono::duration<double>{1e30}), never);
  EXPECT_EQ(mortise::deadline_after(std::chrono::hours::max()), never);
  EXPECT_EQ(mortise::deadline_after(std::chrono::nanoseconds::max()), never);
  EXPECT_EQ(mortise::deadline_at(mortise::steady::time_point::max()), never);
}

TEST(clock, what_is_over_is_now) {
  EXPECT_EQ(to_nanos(-1h), 0);
  EXPECT_EQ(to_nanos(std::chrono::hours::min()), 0);
  const mortise::nanos before = mortise::now_ns();
  const mortise::nanos deadline = mortise::deadline_after(-1h);
  EXPECT_GE(deadline, before);
  EXPECT_LE(deadline, mortise::now_ns());
}

}  // namespace
