#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace app::lock {

// A lock that is held, and that whatever inherits the descriptor holds as well.
struct held_lock {
  int descriptor;       // not close-on-exec
  std::uint64_t token;  // greater than each that was told before
};

// Acquires the lock `name`: flock(2) on the open file description of NAME.lock in the runtime directory. Nothing: not before the deadline.
// Throws std::runtime_error of one line: a file that is not to be trusted, a name that is none, what the system refuses.
std::optional<held_lock> acquire(const std::string& name, std::optional<std::int64_t> deadline_ns);

}  // namespace app::lock
