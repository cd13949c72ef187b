#pragma once

#include <string>
#include <vector>

namespace app::shm {

// `mortise shm` with these arguments: prints what was asked for and returns the exit status. Throws usage_error, answer
// (app/run/options.hpp), std::runtime_error for what is refused.
int command(const std::vector<std::string>& arguments);

}  // namespace app::shm
