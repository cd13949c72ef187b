#pragma once

#include <string>
#include <vector>

namespace app::bench {

// `mortise bench` with these arguments: prints what was asked for and returns the exit status. Throws usage_error, answer
// (app/run/options.hpp), std::runtime_error.
int command(const std::vector<std::string>& arguments);

}  // namespace app::bench
