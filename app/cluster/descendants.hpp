#pragma once

#include <sys/types.h>

#include <vector>

namespace app::cluster {

// All processes that this one has started, directly or not, as /proc has them now. Requires: this process is a subreaper, or of those whose
// parent is gone none is found.
std::vector<pid_t> descendants();

// Sends a signal to them all, but for those of a process group.
void signal_descendants(int signal, pid_t but_group = 0);

// Kills them all, and those that they start meanwhile, and returns when none is left.
void kill_descendants();

}  // namespace app::cluster
