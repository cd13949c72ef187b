#pragma once

#include <app/bench/cell.hpp>
#include <app/bench/statistics.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace app::bench {

// The figures of one run of a contender, by name.
using sample = std::vector<std::pair<std::string, double>>;

// A result that cannot be believed, or is none; what() is one line.
class bad_sample : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The contender says that it cannot do this here; what() is its reason.
class skipped_sample : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Reads what a contender printed: one JSON object with all the figures of the workload. Takes `mortise run --json` too. Adds
// cpu_percent. Throws bad_sample unless the figures are there and agree with each other, and skipped_sample.
sample read_sample(const cell& c, const std::string& printed);

}  // namespace app::bench
