#pragma once

// Keeping a core busy for so many nanoseconds without asking a clock: reading one takes as long as the shortest
// sections here.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace bench {

// One dependent addition an iteration, which no core does in less than a cycle.
[[gnu::noinline]] inline void spin_iterations(std::uint64_t iterations) {
  std::uint64_t left = iterations;
  while (left != 0) {
    --left;
    asm volatile("" : "+r"(left));
  }
}

// How many iterations take a nanosecond. The fastest of many tries: what is slower was interrupted.
inline double measured_iterations_per_ns() {
  constexpr std::uint64_t iterations = 20'000;
  double best_ns = 1e18;
  for (int tries = 0; tries < 200; ++tries) {
    const auto begin = std::chrono::steady_clock::now();
    spin_iterations(iterations);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    best_ns = std::min(best_ns, took.count());
  }
  return static_cast<double>(iterations) / best_ns;
}

// A pause of `ns`, made once and then called from any party.
class spin {
 public:
  explicit spin(std::int64_t ns) {
    static const double per_ns = measured_iterations_per_ns();
    m_iterations = static_cast<std::uint64_t>(static_cast<double>(ns) * per_ns + 0.5);
  }
  void operator()() const {
    if (m_iterations != 0) spin_iterations(m_iterations);
  }

 private:
  std::uint64_t m_iterations;
};

}  // namespace bench
