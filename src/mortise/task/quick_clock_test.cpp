#include <mortise/task/quick_clock.hpp>

#include <gtest/gtest.h>

namespace {

// The bug: a rate that is too low, or an extrapolation believed for too long: deadlines would be early.
TEST(quick_clock, never_before_the_real_clock) {
  mortise::task_detail::quick_clock clock;
  const mortise::nanos end = mortise::now_ns() + 80'000'000;
  for (mortise::nanos synchronised = 0; synchronised < end;) {
    synchronised = clock.read();
    for (mortise::nanos now = synchronised; now < synchronised + 400'000;) {
      now = mortise::now_ns();
      ASSERT_GE(clock.not_before_now(), now) << now - synchronised << " ns after it was synchronised";
    }
  }
}

}  // namespace
