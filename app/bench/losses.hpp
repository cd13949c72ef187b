#pragma once

#include <app/bench/grid.hpp>
#include <app/bench/lines.hpp>

namespace app::bench {

// Where a peer did better at the same work than the best of ours, by the first figure of the workload's table; share and
// waits of both beside it. A lock that is faster since it starves somebody shows.
grid losses(const result& r);

// The figures of a workload's table; the first one is what the work is about.
std::vector<std::string> columns_of(std::string_view workload);
bool more_is_better(std::string_view figure);

}  // namespace app::bench
