#pragma once

#include <string>
#include <vector>

namespace app::cluster {

// Becomes mortise-cluster, the one of the two programs that has gRPC in it (docs/decisions/cluster-command.md), with these words behind its
// name. Throws std::runtime_error: this mortise has none, or it cannot be run.
[[noreturn]] void hand_over(std::vector<std::string> words);

}  // namespace app::cluster
