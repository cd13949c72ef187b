#pragma once

#include <cstdint>

#include <mortise/base/age_clock.hpp>
#include <mortise/base/clock.hpp>

#if defined(__x86_64__) && !MORTISE_IS_MODEL
#include <x86intrin.h>
#endif

namespace mortise::inline MORTISE_ABI::task_detail {

// The monotonic clock for computing deadlines, at the price of the processor's counter (10 ns instead of 25
// on an EPYC Zen 5 under KVM, November 2026).
//
// Promise: `not_before_now()` is never before CLOCK_MONOTONIC at the time of the call, so that a deadline
// computed from it is never early; it is after it by `margin` and the drift since the last synchronisation,
// together under a microsecond. The worker reads the real clock in each look at its timers; from there the
// counter is extrapolated for a fraction of a millisecond at the rate seen over the last ten, and not trusted
// beyond, nor at all where the kernel does not keep time by it. For one thread.
class quick_clock {
 public:
  nanos not_before_now() const noexcept {
#if defined(__x86_64__) && !MORTISE_IS_MODEL
    const std::uint64_t since = __rdtsc() - m_counter;
    if (since < m_trusted) {
      return m_time + static_cast<nanos>(static_cast<double>(since) * m_rate) + margin;
    }
#endif
    return now_ns();
  }

  // Reads the real clock and synchronises.
  nanos read() noexcept {
#if defined(__x86_64__) && !MORTISE_IS_MODEL
    // The counter is read first: the time belongs to a later moment, so what is extrapolated errs to the late
    // side only.
    const std::uint64_t before = __rdtsc();
    const nanos now = now_ns();
    const bool undisturbed = __rdtsc() - before < 5'000;
    if (undisturbed) {
      synchronise(before, now);
    } else {
      m_trusted = 0;
    }
    return now;
#else
    return now_ns();
#endif
  }

 private:
#if defined(__x86_64__) && !MORTISE_IS_MODEL
  void synchronise(std::uint64_t counter, nanos now) noexcept {
    if (now - m_anchor_time >= anchor_age) {
      const double ticks = static_cast<double>(counter - m_anchor_counter);
      // The first rate is known after ten milliseconds; an anchor of long ago, or a counter that was reset,
      // is no measure.
      const bool sane =
          m_anchor_time != 0 && now - m_anchor_time < 100 * anchor_age && counter > m_anchor_counter;
      m_rate = sane ? static_cast<double>(now - m_anchor_time) / ticks * (1 + 1e-5) : 0;
      m_anchor_time = now;
      m_anchor_counter = counter;
    }
    m_time = now;
    m_counter = counter;
    m_trusted = m_rate > 0 && m_usable ? std::uint64_t{1} << 20 : 0;
  }
#endif

  static constexpr nanos margin = 100;
  static constexpr nanos anchor_age = 10'000'000;
  bool m_usable = counter_is_trusted();
  nanos m_time = 0;
  std::uint64_t m_counter = 0;
  std::uint64_t m_trusted = 0;  // ticks after m_counter for which the rate is believed
  double m_rate = 0;            // nanoseconds a tick
  nanos m_anchor_time = 0;
  std::uint64_t m_anchor_counter = 0;
};

}  // namespace mortise::inline MORTISE_ABI::task_detail
