#pragma once

#include <string>

#include <app/run/options.hpp>

namespace app {

// As many as the library lets share a region, less a few: the parent, and those who look at it meanwhile.
inline constexpr unsigned most_processes = 1'000;
// What one value holds: it is copied with each change, and has its place in shared memory once and for all.
inline constexpr unsigned most_shared_keys = 16;
// What a value in a store holds: it is written as text, and goes over the wire with each change.
inline constexpr unsigned most_cluster_keys = 10'000;
// That share the tasks, where nobody says how many.
inline constexpr unsigned usual_processes = 8, usual_cluster_processes = 3;

// Which flags were given.
struct given_flags {
  bool tasks = false, processes = false;
  std::string cluster{};  // one that works with --scope cluster only, as it was typed
};

// Fills in what follows from the scope, and refuses what does not go with it. Throws usage_error.
void settle_scope(run_options& options, const given_flags& given);

}  // namespace app
