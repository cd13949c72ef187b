#pragma once

#include <sys/stat.h>

#include <optional>

namespace app::lock {

// The descriptor by which this process holds flock(2) on that file already, having inherited it; such a one would wait for itself.
// Exact: the kernel tells which open file descriptions hold a lock. Nothing also where /proc is not there to ask.
std::optional<int> inherited_lock(const struct stat& file);

}  // namespace app::lock
