#pragma once

// What workloads with a window of time share: parties that begin together, each party's own counts, and the window
// itself.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

#include <bench/harness/durations.hpp>
#include <bench/harness/json_line.hpp>
#include <bench/harness/process.hpp>

namespace bench {

using steady = std::chrono::steady_clock;

inline std::int64_t since(steady::time_point begin) {
  return (steady::now() - begin) / std::chrono::nanoseconds(1);
}

// Which acquisitions of a party are timed: the first, then one in 16 on average, at random, so that no rhythm of
// a lock hides from it. Reading the clock twice costs more than a lock.
class sampler {
 public:
  explicit sampler(std::uint64_t seed) : m_state{seed * 0x9E3779B97F4A7C15U | 1} {}
  bool due() {
    if (--m_left != 0) return false;
    m_state ^= m_state << 13;
    m_state ^= m_state >> 7;
    m_state ^= m_state << 17;
    m_left = 1 + static_cast<unsigned>(m_state % 31);  // 1..31
    return true;
  }

 private:
  std::uint64_t m_state;
  unsigned m_left = 1;
};

// What one party did. On lines of its own; the count is read by others in the middle of the run.
struct alignas(128) party_record {
  std::atomic<std::uint64_t> ops{0};
  durations waits;

  void done() { ops.store(ops.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
};

// The flags that parties look at and one thread sets.
struct alignas(128) window {
  std::atomic<bool> open{false};
  std::atomic<bool> closed{false};
  alignas(128) std::atomic<unsigned> arrived{0};

  bool is_open() const { return open.load(std::memory_order_acquire); }
  bool is_closed() const { return closed.load(std::memory_order_relaxed); }
};

// What was done between the moment the window opened and the moment the counts were read.
struct within_window {
  std::vector<std::uint64_t> ops;
  std::uint64_t sum = 0;
  std::int64_t duration_ns = 0;
  std::int64_t cpu_ns = 0;

  double share() const {  // the least that a party had, of the most
    const auto [least, most] = std::minmax_element(ops.begin(), ops.end());
    return ops.empty() || *most == 0 ? 0.0 : static_cast<double>(*least) / static_cast<double>(*most);
  }
  void add_to(json_line& line) const {
    line.add("ops", sum)
        .add("duration_ns", duration_ns)
        .add("ops_per_s", static_cast<double>(sum) * 1e9 / static_cast<double>(duration_ns))
        .add("share", share())
        .add("cpu_ns", cpu_ns);
  }
};

// Opens, waits, reads what they did, closes. The reader may lose its core between the counts and the clock; then the counts
// are read once more. `records`: each with its ops. `cpu()`: the CPU time of all of them.
template <class Records, class Cpu>
within_window watch_open(window& w, const Records& records, Cpu cpu, std::int64_t for_ms) {
  within_window seen;
  seen.ops.resize(records.size());
  const std::int64_t cpu_before = cpu();
  const auto begin = steady::now();
  w.open.store(true, std::memory_order_release);
  std::this_thread::sleep_until(begin + std::chrono::milliseconds(for_ms));
  for (int tries = 0; tries < 20; ++tries) {
    const std::int64_t before = since(begin);
    for (std::size_t i = 0; i < records.size(); ++i)
      seen.ops[i] = records[i].ops.load(std::memory_order_relaxed);
    seen.duration_ns = since(begin);
    if (seen.duration_ns - before < 20'000) break;
  }
  seen.cpu_ns = cpu() - cpu_before;
  w.closed.store(true, std::memory_order_relaxed);
  for (const std::uint64_t ops : seen.ops) seen.sum += ops;
  return seen;
}

// Waits until all have arrived first.
inline within_window watch(window& w, const std::vector<party_record>& parties, std::int64_t for_ms) {
  while (w.arrived.load(std::memory_order_acquire) != parties.size())
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  return watch_open(w, parties, cpu_ns, for_ms);
}

// After all have ended: the plain counter that the lock guarded holds every increment.
inline void require_sum(const std::vector<party_record>& parties, std::uint64_t counter) {
  std::uint64_t sum = 0;
  for (const party_record& each : parties) sum += each.ops.load(std::memory_order_relaxed);
  if (sum != counter) {
    throw std::runtime_error("the counter holds " + std::to_string(counter) + " of " + std::to_string(sum) +
                             " increments");
  }
}

}  // namespace bench
