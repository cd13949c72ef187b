#pragma once

// What something costs that can be switched on and off while a load runs: both in one process and in the same minute, since two processes
// differ by more than is looked for.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

#include <bench/harness/json_line.hpp>
#include <bench/harness/process.hpp>

namespace bench {

// Slices off, on, on, off, so that what drifts evenly falls on both; then off four times, of which those in the middle stand for on: the
// control. Again and again. Between a switch and its slice is a tenth of a slice for what the switch itself does.
class alternation {
 public:
  using clock = std::chrono::steady_clock;

  // What a party gets done: in a time, or, where that is given by sleeps, for CPU time.
  enum class per : bool { time, cpu };

  alternation(per what, std::chrono::microseconds each) : m_per{what}, m_slice{each} {}

  // Goes on for `how_long`, and at least for a round. `done()`: the operations so far.
  void run(std::chrono::milliseconds how_long, auto on, auto off, auto done) {
    const auto end = clock::now() + how_long;
    do {
      m_ratios.push_back(round(on, off, done, true));
      m_controls.push_back(round([] {}, [] {}, done, false));
    } while (clock::now() < end);
  }

  void add_to(json_line& line) const {
    if (m_off.ops == 0 || m_on.ops == 0) throw std::runtime_error("nothing was done in the time");
    const auto add = [&](const char* name, std::vector<double> all) {
      std::sort(all.begin(), all.end());
      const auto at = [&](double share) {
        return all[static_cast<std::size_t>(share * static_cast<double>(all.size() - 1) + 0.5)];
      };
      const std::string text{name};
      line.add(text + "_ratio", at(0.5)).add(text + "_p10_ratio", at(0.1)).add(text + "_p90_ratio", at(0.9));
    };
    add("on_off", m_ratios);
    add("control", m_controls);
    line.add("on_ns", m_on.took / static_cast<double>(m_on.ops))
        .add("ns", m_off.took / static_cast<double>(m_off.ops))
        .add("ops", m_off.ops + m_on.ops)
        .add("rounds", m_ratios.size());
  }

 private:
  struct slice {
    std::uint64_t ops = 0;
    double took = 0;  // ns

    slice& operator+=(const slice& other) {
      ops += other.ops;
      took += other.took;
      return *this;
    }
    double rate() const { return static_cast<double>(ops) / took; }
  };
  struct reading {
    std::uint64_t ops;
    std::int64_t at;
  };

  reading read(auto done) const {
    const auto now = [this] {
      return m_per == per::cpu ? cpu_ns() : clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
    };
    for (int tries = 0;; ++tries) {
      const std::int64_t before = now();
      const reading r{done(), now()};
      // Who loses its core between the two reads once more.
      if (r.at - before < 20'000 || tries == 20) return r;
    }
  }

  slice measure(auto done) const {
    std::this_thread::sleep_for(m_slice / 10);
    const reading begin = read(done);
    std::this_thread::sleep_for(m_slice);
    const reading end = read(done);
    return {end.ops - begin.ops, static_cast<double>(end.at - begin.at)};
  }

  double round(auto on, auto off, auto done, bool counts) {
    slice with, without = measure(done);
    on();
    with += measure(done);
    with += measure(done);
    off();
    without += measure(done);
    if (with.took == 0 || without.took == 0) throw std::runtime_error("a slice took no time");
    if (counts) {
      m_on += with;
      m_off += without;
    }
    return with.rate() / without.rate();
  }

  per m_per;
  std::chrono::microseconds m_slice;
  std::vector<double> m_ratios, m_controls;
  slice m_on, m_off;
};

}  // namespace bench
