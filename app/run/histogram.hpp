#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include <mortise/base/atomic.hpp>
#include <mortise/task/counter.hpp>

namespace app {

// How many were in from .. to - 1.
struct bucket {
  std::uint64_t from, to, count;
};

// Durations by log-linear buckets: 16 to each power of two, so a percentile is right to 6 %. Any thread
// records; sharded like a counter, so that recording does not pass lines around.
class histogram {
 public:
  void record(std::int64_t ns) noexcept {
    const std::uint64_t n = ns < 0 ? 0 : static_cast<std::uint64_t>(ns);
    shard& s = m_shards[mortise::task_detail::counter_shard() % shards];
    s.counts[bucket_of(n)].fetch_add(1, mortise::memory_order_relaxed);  // read after the tasks are joined
    std::uint64_t seen = s.max.load(mortise::memory_order_relaxed);
    while (n > seen && !s.max.compare_exchange_weak(seen, n, mortise::memory_order_relaxed)) {}
  }

  struct summary {
    std::uint64_t p50, p99, max;
  };
  summary summarise() const noexcept {
    std::uint64_t total = 0, max = 0;
    for (const shard& s : m_shards) {
      for (const auto& c : s.counts) total += c.load(mortise::memory_order_relaxed);
      max = std::max(max, s.max.load(mortise::memory_order_relaxed));
    }
    return {std::min(at_rank((total + 1) / 2), max), std::min(at_rank(total - total / 100), max), max};
  }

  // Four to each power of two: for a picture. From the first that is not empty to the last.
  std::vector<bucket> coarse() const {
    std::vector<bucket> all;
    std::size_t filled = 0;
    for (unsigned b = 0; b < buckets; b += 4) {
      bucket sum{b == 0 ? 0 : top_of(b - 1) + 1, top_of(b + 3) + 1, 0};
      for (const shard& s : m_shards) {
        for (unsigned i = b; i < b + 4; ++i) sum.count += s.counts[i].load(mortise::memory_order_relaxed);
      }
      if (sum.count == 0 && all.empty()) continue;
      all.push_back(sum);
      if (sum.count != 0) filled = all.size();
    }
    all.resize(filled);
    return all;
  }

  static unsigned bucket_of(std::uint64_t n) noexcept {
    if (n < 16) return static_cast<unsigned>(n);
    const unsigned power = static_cast<unsigned>(std::bit_width(n)) - 5;  // n >> power is in 16..31
    return (power + 1) * 16 + static_cast<unsigned>((n >> power) - 16);
  }
  // The largest duration of a bucket.
  static std::uint64_t top_of(unsigned bucket) noexcept {
    if (bucket < 16) return bucket;
    const unsigned power = bucket / 16 - 1;
    return ((std::uint64_t{bucket % 16} + 17) << power) - 1;
  }

 private:
  static constexpr unsigned buckets = 61 * 16;
  static constexpr unsigned shards = 8;

  std::uint64_t at_rank(std::uint64_t rank) const noexcept {
    std::uint64_t seen = 0;
    for (unsigned b = 0; b < buckets; ++b) {
      for (const shard& s : m_shards) seen += s.counts[b].load(mortise::memory_order_relaxed);
      if (seen >= rank && seen != 0) return top_of(b);
    }
    return 0;
  }

  struct alignas(mortise::cache_line) shard {
    std::array<mortise::atomic<std::uint64_t>, buckets> counts{};
    mortise::atomic<std::uint64_t> max{0};
  };
  std::array<shard, shards> m_shards{};
};

}  // namespace app
