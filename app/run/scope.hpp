#pragma once

#include <app/run/options.hpp>

namespace app {

// As many as the library lets share a region, less a few: the parent, and those who look at it meanwhile.
inline constexpr unsigned most_processes = 1'000;
// What one value holds: it is copied with each change, and has its place in shared memory once and for all.
inline constexpr unsigned most_shared_keys = 16;
// That share the tasks, where nobody says how many.
inline constexpr unsigned usual_processes = 8;

// Which flags were given.
struct given_flags {
  bool tasks = false, processes = false;
};

// Fills in what follows from the scope, and refuses what does not go with it. Throws usage_error.
void settle_scope(run_options& options, given_flags given);

}  // namespace app
