#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <mortise/base/abi.hpp>

#if MORTISE_IS_MODEL
#include <explore/os.hpp>
#endif

namespace mortise::inline MORTISE_ABI {

// Every wait of the library is measured on the monotonic clock; deadlines on other clocks are re-read when
// they wake.
using steady = std::chrono::steady_clock;

// A point on CLOCK_MONOTONIC in nanoseconds. Plain integer inside the library; the public interface speaks
// std::chrono.
using nanos = std::int64_t;

inline constexpr nanos never = std::numeric_limits<nanos>::max();

inline nanos now_ns() noexcept {
#if MORTISE_IS_MODEL
  return explore::now();
#else
  return std::chrono::duration_cast<std::chrono::nanoseconds>(steady::now().time_since_epoch()).count();
#endif
}

// A duration in whole nanoseconds, rounded up, clamped to what fits: a wait may be late but never early.
template <class Rep, class Period>
constexpr nanos to_nanos(std::chrono::duration<Rep, Period> d) noexcept {
  using std::chrono::duration;
  if (!(d > d.zero())) return 0;
  if (duration<double, std::nano>(d).count() >= 9.2e18) return never;
  auto n = std::chrono::ceil<std::chrono::nanoseconds>(d);
  return n.count();
}

// The deadline `d` from now; `never` when the sum would not fit.
template <class Rep, class Period>
nanos deadline_after(std::chrono::duration<Rep, Period> d) noexcept {
  const nanos n = to_nanos(d);
  const nanos now = now_ns();
  return n > never - now ? never : now + n;
}

// Whole nanoseconds to or since a clock's epoch, clamped to what fits.
template <class Rep, class Period>
constexpr nanos since_epoch(std::chrono::duration<Rep, Period> d) noexcept {
  const double n = std::chrono::duration<double, std::nano>(d).count();
  if (n >= 9.2e18) return never;
  if (n <= -9.2e18) return std::numeric_limits<nanos>::min();
  return std::chrono::ceil<std::chrono::nanoseconds>(d).count();
}

// Whether the time point has come, by its own clock. Not `Clock::now() >= t`: the comparison converts both to the finer
// unit, and a far time point of a coarse one does not fit.
template <class Clock, class Duration>
bool has_come(std::chrono::time_point<Clock, Duration> t) noexcept {
  const nanos at = since_epoch(t.time_since_epoch());
  if (at == never || at == std::numeric_limits<nanos>::min()) return at < 0;
  return Clock::now() >= t;
}

// A time point of any clock as a monotonic deadline. For clocks other than steady_clock the caller must
// re-check the time point on waking (has_come), because such clocks can be set.
template <class Clock, class Duration>
nanos deadline_at(std::chrono::time_point<Clock, Duration> t) noexcept {
  if constexpr (std::is_same_v<Clock, steady>) {
    return to_nanos(t.time_since_epoch());
  } else {
    const nanos at = since_epoch(t.time_since_epoch());
    nanos left = 0;
    if (at == never || at == std::numeric_limits<nanos>::min() ||
        __builtin_sub_overflow(at, since_epoch(Clock::now().time_since_epoch()), &left)) {
      left = at;
    }
    return left == never ? never : deadline_after(std::chrono::nanoseconds(left));
  }
}

}  // namespace mortise::inline MORTISE_ABI
