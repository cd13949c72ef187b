#pragma once

#include <cstdint>
#include <string>

#include "memory.hpp"
#include "options.hpp"
#include "tally.hpp"

namespace soak {

// A line that lives while the soak lasts, on standard error if that is a terminal.
class progress {
 public:
  progress();
  void show(unsigned rounds, const tally& t, double seconds, const options& o);
  void clear();

 private:
  bool m_live;
};

// How often everything happened, and last one line of figures. On standard output.
void report(const options& o, const tally& t, std::uint64_t crowded, const memory& m, unsigned rounds,
            double seconds, unsigned failures);

}  // namespace soak
