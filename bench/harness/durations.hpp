#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace bench {

// Durations by log-linear buckets: 64 to each power of two, so that a percentile is right to 1.6 %. One party's or
// one thread's own; they are added up when all have ended.
class durations {
 public:
  void record(std::int64_t ns, std::uint64_t weight = 1) {
    const std::uint64_t n = ns < 0 ? 0 : static_cast<std::uint64_t>(ns);
    const unsigned bucket = bucket_of(n);
    if (bucket >= m_counts.size()) m_counts.resize(bucket + 1);
    m_counts[bucket] += weight;
    m_total += weight;
    m_longest = std::max(m_longest, n);
  }

  void add(const durations& other) {
    if (m_counts.size() < other.m_counts.size()) m_counts.resize(other.m_counts.size());
    for (std::size_t i = 0; i < other.m_counts.size(); ++i) m_counts[i] += other.m_counts[i];
    m_total += other.m_total;
    m_longest = std::max(m_longest, other.m_longest);
  }

  // The smallest duration that at least `share` of all do not exceed; 0 when there is none.
  std::uint64_t quantile(double share) const {
    const double rank = std::max(1.0, share * static_cast<double>(m_total));
    double seen = 0;
    for (unsigned bucket = 0; bucket < m_counts.size(); ++bucket) {
      seen += static_cast<double>(m_counts[bucket]);
      if (seen >= rank) return std::min(top_of(bucket), m_longest);
    }
    return m_longest;
  }

  // Half of the time of all of them together is in durations no longer than this.
  std::uint64_t half_of_time() const {
    double all = 0, seen = 0;
    for (unsigned b = 0; b < m_counts.size(); ++b) all += time_in(b);
    for (unsigned b = 0; b < m_counts.size(); ++b) {
      seen += time_in(b);
      if (seen >= all / 2) return std::min(top_of(b), m_longest);
    }
    return m_longest;
  }

  // visit(duration, how many) for each that there is, to the precision of a percentile; the longest exactly.
  template <class Visit>
  void for_each(Visit visit) const {
    for (unsigned b = 0; b < m_counts.size(); ++b) {
      if (m_counts[b] != 0) visit(std::min(top_of(b), m_longest), m_counts[b]);
    }
  }

  std::uint64_t longest() const { return m_longest; }
  std::uint64_t total() const { return m_total; }
  // So that nobody allocates in the middle of a measurement: room for durations up to `ns`.
  void make_room(std::uint64_t ns) {
    m_counts.resize(std::max<std::size_t>(m_counts.size(), bucket_of(ns) + 1));
  }

  static unsigned bucket_of(std::uint64_t n) {
    if (n < per_power) return static_cast<unsigned>(n);
    const unsigned power = static_cast<unsigned>(std::bit_width(n)) - bits - 1;  // n >> power is in 64..127
    return (power + 1) * per_power + static_cast<unsigned>((n >> power) - per_power);
  }
  static std::uint64_t top_of(unsigned bucket) {
    if (bucket < per_power) return bucket;
    const unsigned power = bucket / per_power - 1;
    return ((std::uint64_t{bucket % per_power} + per_power + 1) << power) - 1;
  }

 private:
  double time_in(unsigned bucket) const {
    return static_cast<double>(m_counts[bucket]) * static_cast<double>(top_of(bucket));
  }

  static constexpr unsigned bits = 6;
  static constexpr unsigned per_power = 1U << bits;

  std::vector<std::uint64_t> m_counts;
  std::uint64_t m_total = 0;
  std::uint64_t m_longest = 0;
};

}  // namespace bench
