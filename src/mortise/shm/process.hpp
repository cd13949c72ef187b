#pragma once

#include <cstdint>
#include <optional>

#include <sys/types.h>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// What /proc says of a process. With its start time a number that is given again to another process is no longer the same.
struct process_look {
  char command[16];          // as ps shows it, cut at 15 characters, ends with a zero
  char state;                // R, S, D, T (stopped), t (traced), Z ...
  std::uint64_t start_time;  // in clock ticks since the machine started
};

// Nothing: there is no such process, or /proc does not show it. Throws system_error for lack of descriptors.
std::optional<process_look> look_at_process(pid_t pid);

// Whose numbers processes have here; 0 where /proc does not say.
std::uint64_t pid_namespace() noexcept;

}  // namespace mortise::inline MORTISE_ABI::shm
