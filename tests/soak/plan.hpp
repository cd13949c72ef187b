#pragma once

#include <algorithm>
#include <cstdint>

#include "options.hpp"

namespace soak {

// Random numbers that cost a nanosecond (splitmix64).
class dice {
 public:
  explicit dice(std::uint64_t seed) noexcept : m_state{seed} {}
  std::uint64_t roll() noexcept {
    std::uint64_t z = (m_state += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  unsigned below(unsigned n) noexcept { return static_cast<unsigned>((roll() >> 32) * n >> 32); }
  unsigned between(unsigned least, unsigned most) noexcept { return least + below(most - least + 1); }
  bool one_in(unsigned n) noexcept { return below(n) == 0; }

 private:
  std::uint64_t m_state;
};

// One round: who takes part, and how much they meet. A cycle has each number of workers, once with a mutex for
// each party and three times crowded: the former make most of the acquisitions in a quarter of the time.
struct round_plan {
  unsigned workers;
  bool crowded;     // few mutexes for many parties; otherwise one each and some that are shared
  unsigned cells;   // mutexes that stay
  unsigned relays;  // mutexes that their last holder destroys and makes anew
  unsigned threads, fibers, tasks, foreigners;
  unsigned burst;  // acquisitions between two looks around
  unsigned spice;  // one burst in so many is followed by something slow
  unsigned length_ms;
  std::uint64_t seed;
};

inline constexpr unsigned rounds_in_a_cycle = 12;
inline constexpr unsigned shared_cells = 4;  // of a round that is not crowded

inline round_plan draw_round(unsigned number, dice& d, const options& o) {
  constexpr unsigned workers[] = {1, 2, 4};
  round_plan p{};
  p.workers = workers[number % 3];
  p.crowded = number / 3 % 4 != 0;
  p.threads = d.between(1, 3);
  p.relays = d.between(1, 2);
  p.length_ms = o.brief ? 150 : 500;
  p.seed = d.roll();
  if (p.crowded) {
    p.cells = d.between(1, 3);
    p.fibers = d.between(4, 60);
    p.tasks = d.between(4, 60);
    p.foreigners = d.between(2, 20);
    p.burst = d.between(2, 32);
    p.spice = d.between(2, 16);
  } else {
    p.fibers = d.between(2, 12);
    p.tasks = d.between(2, 12);
    p.foreigners = d.between(1, 6);
    p.cells = shared_cells + p.threads + p.fibers + p.tasks + p.foreigners;
    p.burst = 1024;
    p.spice = d.between(2, 8);
  }
  if (o.plant != plant::none) p.cells = 1, p.crowded = true, p.spice = 1000, p.burst = 16;
  return p;
}

}  // namespace soak
