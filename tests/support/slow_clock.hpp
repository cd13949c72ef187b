#pragma once

#include <chrono>

// A clock that goes at half speed, as one does that is set back again and again: who waits for one of its moments by the
// monotonic clock, and only once, is early.
struct slow_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<slow_clock>;
  static constexpr bool is_steady = false;
  static time_point now() noexcept {
    return time_point{std::chrono::steady_clock::now().time_since_epoch() / 2};
  }
};
