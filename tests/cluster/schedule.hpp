#pragma once

#include <cstdint>
#include <string>

#include "party.hpp"

namespace cluster_test {

struct verdict_of_schedule {
  std::string complaint;  // empty: all was as it must be
  history what;
  std::uint64_t events = 0;
  nanos took = 0;
};

// One random schedule, the same for the same seed: some processes add elements to one guarded value, and everything goes wrong that can.
verdict_of_schedule run_schedule(std::uint64_t seed, control broken = control::none);

}  // namespace cluster_test
