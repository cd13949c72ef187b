#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <stop_token>

#include <app/run/histogram.hpp>
#include <app/run/options.hpp>
#include <app/run/seed_map.hpp>
#include <app/run/turns.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/task/counter.hpp>

namespace app {

// A turn whose number has none of these bits is timed. A timed turn costs some 130 ns, of which one in 8 is nothing to a run
// that mostly sleeps, and one in 256 at most 1 % to one whose turns take 50 ns.
inline std::uint64_t untimed_turns(const run_options& o) noexcept {
  constexpr std::int64_t sparse = 1'000;  // nanoseconds from turn to turn, of all tasks together
  return o.sleep_ns >= sparse * static_cast<std::int64_t>(o.parties()) ? 7 : 255;
}

// What all tasks of a run share.
struct shared_state {
  explicit shared_state(const run_options& o) : options{o}, map{o.keys} {
    if (!o.report.empty()) turns_of.keep(o.parties());
  }

  const run_options options;
  mortise::atomic<bool> stop{false};  // relaxed: each task sees it at its next turn
  std::stop_token stop_long_sleeps;   // of coroutines; set before they start
  turns turns_of;  // of each task, if they are reported on; looked at as often as `stop`, so beside it
  mortise::counter read_ops, write_ops;
  seed_map map;
  histogram wait, lateness;  // of one turn in 8, or in 256, while the clock runs

  bool stopping() const noexcept { return stop.load(mortise::memory_order_relaxed); }
  // Turns count from 1. Starting and ending a million tasks is not what the percentiles are about.
  bool timed(std::uint64_t turn) const noexcept {
    return (turn & m_untimed.load(mortise::memory_order_relaxed)) == 0;
  }
  void begin_timing() noexcept { m_untimed.store(untimed_turns(options), mortise::memory_order_relaxed); }
  void woke(mortise::nanos due) noexcept {
    if (due != 0 && !stopping()) lateness.record(mortise::now_ns() - due);
  }
  bool reads(std::uint64_t party) const noexcept { return party < options.readers; }

 private:
  mortise::atomic<std::uint64_t> m_untimed{~std::uint64_t{0}};  // relaxed: seen at the next turn
};

// The random numbers of one task: the same for the same seed, whatever the other tasks do.
class draw {
 public:
  draw(std::uint64_t seed, std::uint64_t party) noexcept
      : m_engine{static_cast<std::uint32_t>(scrambled(seed * 0x9e3779b97f4a7c15 + party) | 1)} {}
  // Multiplied and shifted, not divided: a division is a tenth of a turn. Requires: n < 2^31.
  std::uint64_t below(std::uint64_t n) noexcept { return ((m_engine() - 1) * n) >> 31; }

 private:
  // splitmix64's finaliser, so that neighbouring tasks draw unlike numbers. Source: S. Vigna, public domain.
  static std::uint64_t scrambled(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return (x ^ (x >> 31)) & 0x3fffffff;
  }
  std::minstd_rand m_engine;
};

// One turn's section: the lock is held, or there is none.
template <class InBetween>
int section(shared_state& s, std::uint64_t party, draw& random, InBetween&& in_between) {
  const std::uint64_t key = random.below(s.options.keys);
  if (s.reads(party)) return s.map.read(party, key, in_between);
  s.map.write(party, key, random.below(s.options.values), in_between);
  return 0;
}

// The same for a reader that holds the lock shared.
inline int shared_section(shared_state& s, draw& random) {
  return s.map.read_shared(random.below(s.options.keys));
}

inline void count(shared_state& s, std::uint64_t party) {
  (s.reads(party) ? s.read_ops : s.write_ops).add();
  if (s.turns_of.kept()) [[unlikely]]
    s.turns_of.add(party);
}

// With --lock none every 16th turn of a task gives up the processor in the middle of its section, as an
// unlucky preemption would: the sections are some 20 ns long, and on a few cores hardly ever meet otherwise.
inline constexpr unsigned turns_between_yields = 16;

// Sleeps no longer than this are slept without the stop token, which costs a callback each: the run ends that
// much later.
inline constexpr std::int64_t short_sleep_ns = 20'000'000;

}  // namespace app
