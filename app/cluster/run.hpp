#pragma once

#include <app/run/workload.hpp>

namespace app::cluster {

// The seed's program among processes that share their map in a store (--scope cluster). Requires: this process has one thread. Throws
// start_error, usage_error; std::runtime_error, what is wrong with the store.
run_result run(const run_options& options);

}  // namespace app::cluster
