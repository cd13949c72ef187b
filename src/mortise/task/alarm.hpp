#pragma once

#include <algorithm>

#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

// How much of its time a worker may spin away: one part in `one_in` of what has passed, saved up to `most`.
class spin_allowance {
 public:
  static constexpr nanos one_in = 10, most = 1'000'000;

  // Requires: `now` only grows.
  bool covers(nanos length, nanos now) noexcept {
    m_saved = std::min(most, m_saved + (now - m_at) / one_in);
    m_at = now;
    return m_saved >= length;
  }
  void spend(nanos length) noexcept { m_saved -= length; }

 private:
  nanos m_saved = most, m_at = 0;
};

// Sleeps until a moment, and means it.
//
// The kernel wakes a thread late by what the machine makes of it: 50 us and more where it has to leave an
// idle state. So the kernel's timer is armed early by the wake latency that was seen here (its 90th
// percentile, followed up and down), and what is left is spun. Never returns for the deadline before the
// deadline. The spinning costs up to that latency of CPU time for each wake, some 3 % of a core at a thousand
// wakes a second, and a tenth of the worker's time at most: beyond that wakes are left to the kernel, as all are
// where `precise` is false.
class alarm {
 public:
  explicit alarm(bool precise) noexcept : m_precise{precise} {}

  // Until `word` is not 0, or until `deadline`; may return early otherwise.
  void wait(const atomic<std::uint32_t>& word, nanos deadline) noexcept;

  // For the thread that waits: asks the kernel not to batch its wakes with others'.
  static void sharpen_this_thread() noexcept;

 private:
  void learn(nanos late) noexcept;

  bool m_precise;
  spin_allowance m_allowance;
  nanos m_lead = 80'000;
};

}  // namespace mortise::inline MORTISE_ABI::task_detail
