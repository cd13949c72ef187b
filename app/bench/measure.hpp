#pragma once

#include <app/bench/cell.hpp>
#include <app/bench/contenders.hpp>
#include <app/bench/statistics.hpp>
#include <functional>
#include <string>
#include <vector>

namespace app::bench {

// What a cell came to. One that failed in a later repetition has both figures and a failure.
struct outcome {
  cell of;
  std::string id;
  unsigned repetitions = 0;  // that were measured
  bench::figures figures = {};
  std::string skipped = {};  // why, in one line
  std::string failed = {};
};

// Called before each run of a cell.
using watcher = std::function<void(const cell&)>;

// Runs the cells of a group in turns, each repetition beginning with the next one. One that failed is not run again: its
// verdict is known, and five times a hang is no more than one. Ends early when a signal has come (app/run/interrupt.hpp).
std::vector<outcome> measure(const group& g, const contenders& who, unsigned repetitions,
                             const watcher& watch);

}  // namespace app::bench
