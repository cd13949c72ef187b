#pragma once

#include <app/run/workload.hpp>

namespace app {

// The seed's program among processes (--scope processes). Requires: this process has one thread, or its children could not
// have more. Throws start_error; std::system_error or shm::error when there is no memory to share.
run_result run_processes(const run_options& options);

}  // namespace app
