#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <mortise/base/atomic.hpp>
#include <mortise/base/cache_line.hpp>

namespace mortise::inline MORTISE_ABI {

namespace task_detail {
inline constexpr std::size_t counter_shards = 32;
// Spreads threads over the shards: each thread of the process has a number. Never inlined, since a fiber may
// change threads.
[[gnu::noinline]] MORTISE_API std::size_t counter_shard() noexcept;
}  // namespace task_detail

// A number that many cores add to without passing a cache line around: the sum of 32 shards, one line each (2
// KiB).
//
// Promises
// - N1 No addition is lost; `value` is exact once the adders have been joined, and before that at least what was
//   added before it began, as seen by the caller.
// Does not promise that `value` is what the counter was at one moment. Needs no initialisation at run time. Cost:
// add one uncontended RMW, value 32 loads.
class counter {
 public:
  constexpr counter() noexcept = default;
  counter(const counter&) = delete;
  counter& operator=(const counter&) = delete;

  void add(std::uint64_t n = 1) noexcept {
    // relaxed: a join or a lock orders it before the exact reading
    m_shards[task_detail::counter_shard()].n.fetch_add(n, memory_order_relaxed);
  }
  void operator++() noexcept { add(); }
  void operator++(int) noexcept { add(); }
  void operator+=(std::uint64_t n) noexcept { add(n); }

  std::uint64_t value() const noexcept {
    std::uint64_t sum = 0;
    for (const shard& s : m_shards) sum += s.n.load(memory_order_relaxed);  // as above
    return sum;
  }

 private:
  struct alignas(cache_line) shard {
    atomic<std::uint64_t> n{0};
  };
  std::array<shard, task_detail::counter_shards> m_shards{};
};

}  // namespace mortise::inline MORTISE_ABI
