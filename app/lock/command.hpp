#pragma once

#include <string>
#include <vector>

namespace app::lock {

// `mortise lock`: the arguments behind it; the exit code. Prints one line for each error of its own.
int command(const std::vector<std::string>& arguments);

}  // namespace app::lock
