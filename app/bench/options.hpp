#pragma once

#include <app/bench/cell.hpp>
#include <string>
#include <vector>

namespace app::bench {

// What `mortise bench` was asked to do.
struct options {
  std::vector<std::string> words;  // ids and workloads; none: all
  mode how = mode::normal;
  unsigned repetitions = 5;
  bool json = false;
  bool markdown = false;
  bool list = false;
  std::string programs;  // the contenders' folder; empty: beside the command
  std::string from;      // lines of an earlier run, shown instead of measuring
  std::string report;    // a page to write too
};

// The arguments behind `mortise bench`. Throws usage_error, answer (app/run/options.hpp).
options parse(const std::vector<std::string>& arguments);

}  // namespace app::bench
