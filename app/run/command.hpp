#pragma once

#include <functional>
#include <string>
#include <vector>

#include <app/run/workload.hpp>

namespace app {

// What the commands' ends have in common: one line on standard error, and the code.
int fail(int code, const std::string& line);
// An answer that nobody can read is a failure.
int printed(int code, const std::string& text);
// What `command` returns, or its error as one line: usage_error with 2, all others with 1. Help is printed.
int told(const std::function<int()>& command);

// `mortise run`: the words behind it, and what runs it.
int run_command(const std::vector<std::string>& arguments,
                const std::function<run_result(const run_options&)>& runs);

}  // namespace app
