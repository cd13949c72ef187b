#include <gtest/gtest.h>

#include <mortise/task/alarm.hpp>

namespace {

using mortise::nanos;
using mortise::task_detail::spin_allowance;

constexpr nanos begin = 1'000'000'000'000;

// The bug: thousands of sleepers are each spun for, and a worker that has nothing to do burns its core.
TEST(spin_allowance, is_a_tenth_of_the_time_however_often_it_is_asked) {
  spin_allowance a;
  constexpr nanos each = 30'000;
  nanos now = begin, spun = 0;
  for (int i = 0; i < 100'000; ++i) {  // a wake each 30 us
    now += each;
    if (!a.covers(each, now)) continue;
    a.spend(each);
    now += each;
    spun += each;
  }
  EXPECT_LE(spun, (now - begin) / spin_allowance::one_in + spin_allowance::most);
  EXPECT_GE(spun, (now - begin) / spin_allowance::one_in - each);
}

// The bug: what was not spun in an hour is spun in the next minutes.
TEST(spin_allowance, is_not_saved_up_for_ever) {
  spin_allowance a;
  a.spend(spin_allowance::most);
  EXPECT_TRUE(a.covers(spin_allowance::most, begin));
  EXPECT_FALSE(a.covers(spin_allowance::most + 1, begin + begin));
}

// The bug: one who sleeps now and then, or a thousand times a second, is left to the kernel.
TEST(spin_allowance, covers_a_thousand_wakes_in_a_second) {
  spin_allowance a;
  for (nanos now = begin; now < begin + 1'000'000'000; now += 1'000'000) {
    ASSERT_TRUE(a.covers(80'000, now));
    a.spend(80'000);
  }
}

}  // namespace
