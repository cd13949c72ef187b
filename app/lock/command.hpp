#pragma once

#include <functional>
#include <string>
#include <vector>

namespace app::lock {

// `mortise lock`: the arguments behind it; the exit code. Prints one line for each error of its own.
int command(const std::vector<std::string>& arguments);

// What `runs` returns, or its error as one line: cannot_run with its code, all others with 125. Help is printed.
int told(const std::function<int()>& runs);

}  // namespace app::lock
