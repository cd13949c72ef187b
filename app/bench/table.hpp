#pragma once

#include <app/bench/lines.hpp>
#include <string>

namespace app::bench {

// How a table is written down.
struct style {
  bool markdown = false;  // else for a terminal or a pipe
  bool colour = false;
};

// What was measured on, for each workload a table of what everybody did, and what was to be reached.
std::string table(const result& r, const style& s);

// A figure as people read it, by the unit in its name: 12.3 ns, 1.2 ms, 16.4 M/s, 120 B.
std::string readable(const std::string& figure, double value);

}  // namespace app::bench
