#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace app::bench {

using params = std::vector<std::pair<std::string, std::int64_t>>;  // in the order of the name

enum class sense { at_least, at_most };

// What a figure's median must reach: by itself, or as a ratio to the same figure of peers.
struct bar {
  std::string id;  // of the row of the table of what must be reached: P6a
  std::string figure;
  sense compare = sense::at_least;
  double must = 0;
  std::optional<double> moonshot = {};
  std::string against = {};             // the peers as people call them; empty: no ratio
  std::vector<std::string> peers = {};  // names of cells of the same group; the best of them counts
  double share_from = 0;                // applies only if both sides have at least this min/max share
};

// One contender at one piece of work.
struct cell {
  std::string workload, contender, kind;
  params given;   // what is measured
  params effort;  // how long or how often it is measured: no part of the name
  std::vector<bar> bars = {};

  // <workload>/<contender>/kind:<kind>/parties:8/...
  std::string name() const;
};

// Cells that are measured in turns, so that what the machine does meanwhile falls on all of them. Ours first.
struct group {
  std::string id;  // P6a, or empty where nothing must be reached
  std::string workload;
  std::vector<cell> cells;
  bool only_by_name = false;  // not measured unless somebody asks for it
};

// How much is measured: a smoke test within a minute, what ends within ten, or everything, within sixty.
enum class mode { quick, normal, full };

inline const char* to_string(mode m) {
  return m == mode::quick ? "quick" : m == mode::normal ? "default" : "full";
}

}  // namespace app::bench
