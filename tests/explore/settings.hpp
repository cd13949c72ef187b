#pragma once

#include <cstdint>
#include <string>

namespace explore {

// What the command line and the environment say, see main.cpp.
struct run_settings {
  std::string program;
  std::string replay;             // --replay=SCHEDULE
  bool tso = true, weak = true;   // --memory=tso|weak
  bool reduction = true;          // --no-reduction: a choice before every operation, and no state is left out
  int more_preemptions = 0;       // MORTISE_MODEL_BOUND=+N
  unsigned more_random_runs = 1;  // MORTISE_MODEL_RANDOM=xN
  std::uint64_t seed = 1;         // MORTISE_MODEL_SEED=N
};
run_settings& settings();

}  // namespace explore
