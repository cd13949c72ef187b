#pragma once

// How long this machine takes a core away from a thread that wants nothing but to run: what no lock can do anything
// about. Stands beside every wait.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include <bench/harness/durations.hpp>
#include <bench/harness/json_line.hpp>
#include <bench/harness/process.hpp>

namespace bench {

// One spinning thread on each usable core reads the clock for `for_ms`. Weighted by time: at a moment drawn at random, with
// probability 0.999, a thread is in a gap no longer than the p99.9.
inline durations measure_stalls(std::int64_t for_ms) {
  using clock = std::chrono::steady_clock;
  std::vector<durations> each(usable_cores());
  std::vector<std::thread> threads;
  for (durations& own : each) {
    own.make_room(10'000'000'000);
    threads.emplace_back([&own, for_ms] {
      auto last = clock::now();
      for (const auto end = last + std::chrono::milliseconds(for_ms); last < end;) {
        const auto now = clock::now();
        const std::int64_t gap = (now - last) / std::chrono::nanoseconds(1);
        own.record(gap, static_cast<std::uint64_t>(gap));
        last = now;
      }
    });
  }
  for (std::thread& t : threads) t.join();
  durations all;
  for (const durations& own : each) all.add(own);
  return all;
}

// Measured just before the run, a quarter of its time but no less than 20 ms.
class stalls {
 public:
  explicit stalls(std::int64_t run_ms)
      : m_gaps{measure_stalls(std::clamp<std::int64_t>(run_ms / 4, 20, 500))} {}
  void add_to(json_line& line) const {
    line.add("stall_p999_ns", m_gaps.quantile(0.999)).add("stall_max_ns", m_gaps.longest());
  }

 private:
  durations m_gaps;
};

inline void add_waits(json_line& line, const durations& waits) {
  line.add("wait_p50_ns", waits.quantile(0.5))
      .add("wait_p99_ns", waits.quantile(0.99))
      .add("wait_p999_ns", waits.quantile(0.999))
      .add("wait_max_ns", waits.longest())
      .add("wait_half_ns", waits.half_of_time())
      .add("waits_timed", waits.total());
}

}  // namespace bench
