#pragma once

#include <cstdint>
#include <optional>

namespace app::lock {

// Nanoseconds on CLOCK_MONOTONIC.
std::int64_t monotonic_ns();

// Takes flock(2) for writing on the open file; false: not before the deadline, and never earlier than that. None: as long as it takes.
// One that waits keeps its place in the kernel's queue until its deadline. Throws std::system_error.
bool lock_until(int file, std::optional<std::int64_t> deadline_ns);

}  // namespace app::lock
