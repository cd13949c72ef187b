#pragma once

#include <array>
#include <cstdint>

#include <app/run/histogram.hpp>
#include <app/run/scope.hpp>
#include <app/run/shared_flag.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/cache_line.hpp>

namespace app {

// What the processes of a run share besides the value: when to begin and to end, and what each one counts. In shared pages,
// where it begins as zeroes. Whoever is killed leaves its counts behind, and who comes in its place goes on with them.
struct board {
  struct alignas(mortise::cache_line) place {
    // relaxed, all of them: the parent wants recent numbers, and exact ones after the process has ended
    mortise::atomic<std::uint64_t> read_ops{0}, write_ops{0};
    mortise::atomic<std::uint64_t> torn{0};         // values that nobody had written whole
    mortise::atomic<std::uint64_t> overlaps{0};     // writers that were not alone
    mortise::atomic<std::uint64_t> late_tokens{0};  // sections whose token did not grow
    mortise::atomic<std::uint32_t> arrived{0};      // 1: it is there; 2: its tasks run
  };

  shared_flag go, stop;
  mortise::atomic<std::uint64_t> untimed{
      ~std::uint64_t{0}};  // relaxed: seen at the next turn (shared_state.hpp)
  alignas(mortise::cache_line) mortise::atomic<std::uint64_t> inside{0};  // the last that began to write
  histogram wait, lateness;
  std::array<place, most_processes> of;
  std::array<std::array<char, 256>, most_processes> why;  // a process could not begin: one line

  template <class Count>
  std::uint64_t sum(Count place::* count) const noexcept {
    std::uint64_t n = 0;
    for (const place& p : of) n += (p.*count).load(mortise::memory_order_relaxed);
    return n;
  }
};

}  // namespace app
