#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// How many durations there were of which length: four buckets to each power of two from 1 us to 2 min, so that a percentile is right to 25 %.
// A bucket has those above its lower bound and up to its upper one, both powers of two at every fourth: what is at or below 2^n ns is told exactly.
class durations {
 public:
  static constexpr unsigned first_power = 10, last_power = 37;  // up to 1.024 us, above 137 s: not told apart
  static constexpr unsigned buckets = 1 + (last_power - first_power) * 4 + 1;

  // Cost: a few nanoseconds. Not synchronised.
  void record(nanos ns) noexcept {
    const std::uint64_t n = ns < 0 ? 0 : static_cast<std::uint64_t>(ns);
    ++m_counts[bucket_of(n)];
    ++m_count;
    m_sum += n;
    m_longest = std::max(m_longest, n);
  }

  std::uint64_t count() const noexcept { return m_count; }
  std::uint64_t sum_ns() const noexcept { return m_sum; }
  std::uint64_t longest_ns() const noexcept { return m_longest; }

  // How many were at most 2^`power` ns. Requires: first_power <= power <= last_power.
  std::uint64_t within_power(unsigned power) const noexcept {
    std::uint64_t n = 0;
    for (unsigned b = 0; b <= (power - first_power) * 4; ++b) n += m_counts[b];
    return n;
  }
  // So long at most took `share` of them, 0 to 1; 0 if there were none.
  std::uint64_t percentile(double share) const noexcept {
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(m_count) + 0.5);
    std::uint64_t seen = 0;
    for (unsigned b = 0; b < buckets; ++b) {
      seen += m_counts[b];
      if (seen != 0 && seen >= rank) return std::min(top_of(b), m_longest);
    }
    return 0;
  }

  durations& operator+=(const durations& o) noexcept {
    for (std::size_t b = 0; b < buckets; ++b) m_counts[b] += o.m_counts[b];
    m_count += o.m_count;
    m_sum += o.m_sum;
    m_longest = std::max(m_longest, o.m_longest);
    return *this;
  }

  static constexpr unsigned bucket_of(std::uint64_t n) noexcept {
    const std::uint64_t below = n == 0 ? 0 : n - 1;  // an upper bound is in its bucket
    if (below < std::uint64_t{1} << first_power) return 0;
    const unsigned power = static_cast<unsigned>(std::bit_width(below)) - 1;
    if (power >= last_power) return buckets - 1;
    return 1 + (power - first_power) * 4 + static_cast<unsigned>(below >> (power - 2) & 3);
  }
  // The longest of a bucket; the last one has no end.
  static constexpr std::uint64_t top_of(unsigned bucket) noexcept {
    if (bucket == 0) return std::uint64_t{1} << first_power;
    if (bucket == buckets - 1) return ~std::uint64_t{0};
    const unsigned power = first_power + (bucket - 1) / 4;
    return (std::uint64_t{4} + (bucket - 1) % 4 + 1) << (power - 2);
  }

 private:
  std::array<std::uint64_t, buckets> m_counts{};
  std::uint64_t m_count = 0, m_sum = 0, m_longest = 0;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
