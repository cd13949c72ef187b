#pragma once

#include <string>
#include <vector>

namespace app::cluster {

// `mortise lock --cluster`: the words behind `lock`; the exit code. Requires: this process has one thread.
int lock(const std::vector<std::string>& arguments);

}  // namespace app::cluster
