#include <mortise/base/clock.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace {

using namespace std::chrono_literals;
using mortise::deadline_after;
using mortise::deadline_at;
using mortise::has_come;
using mortise::never;
using mortise::now_ns;
using mortise::to_nanos;

// A clock that has counted for 300 years, another one that is 300 years from its beginning, and one between.
template <int Years>
struct clock_of {
  using duration = std::chrono::microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<clock_of>;
  static constexpr bool is_steady = false;
  static time_point now() { return time_point{std::chrono::hours(Years * 8766)}; }
};
using old = clock_of<280>;
using young = clock_of<-280>;
using wall = std::chrono::system_clock;

template <class Clock, class Unit>
constexpr auto first = std::chrono::time_point<Clock, Unit>::min();
template <class Clock, class Unit>
constexpr auto last = std::chrono::time_point<Clock, Unit>::max();

bool is_over(mortise::nanos deadline) { return deadline <= now_ns(); }

// The bug: the difference to now wraps around: the beginning of time is waited for, and its end is taken to be over.
template <class Clock>
void ends_of_time_are_kept_apart() {
  EXPECT_TRUE(is_over(deadline_at(first<Clock, typename Clock::duration>)));
  EXPECT_TRUE(is_over(deadline_at(first<Clock, std::chrono::seconds>)));
  EXPECT_TRUE(is_over(deadline_at(first<Clock, std::chrono::hours>)));
  EXPECT_GE((deadline_at(last<Clock, typename Clock::duration>)), now_ns() + never / 100);
  EXPECT_GE((deadline_at(last<Clock, std::chrono::seconds>)), now_ns() + never / 100);
  EXPECT_GE((deadline_at(last<Clock, std::chrono::hours>)), now_ns() + never / 100);
  EXPECT_TRUE((has_come(first<Clock, std::chrono::nanoseconds>)));
  EXPECT_TRUE((has_come(first<Clock, std::chrono::hours>)));
  EXPECT_FALSE((has_come(last<Clock, std::chrono::nanoseconds>)));
  EXPECT_FALSE((has_come(last<Clock, std::chrono::hours>)));
}

TEST(clock, ends_of_time_are_kept_apart) {
  ends_of_time_are_kept_apart<wall>();
  ends_of_time_are_kept_apart<std::chrono::steady_clock>();
  ends_of_time_are_kept_apart<old>();
  ends_of_time_are_kept_apart<young>();
}

TEST(clock, near_times_of_other_clocks_are_as_far_as_they_are) {
  const auto before = now_ns();
  EXPECT_GE(deadline_at(old::now() + 5s), before + 5'000'000'000);
  EXPECT_TRUE(is_over(deadline_at(old::now() + 5s) - 5'000'000'000));
  EXPECT_GE(deadline_at(young::now() + 5s), before + 5'000'000'000);
  EXPECT_TRUE(is_over(deadline_at(young::now() - 5s)));
  EXPECT_TRUE(has_come(old::now()));
  EXPECT_FALSE(has_come(young::now() + 1us));
  EXPECT_EQ(deadline_after(std::chrono::hours::max()), never);
}

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
  EXPECT_EQ(deadline_after(std::chrono::hours::max()), never);
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
