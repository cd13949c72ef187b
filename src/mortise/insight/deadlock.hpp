#pragma once

#include <chrono>

#include <mortise/base/abi.hpp>
#include <mortise/insight/dump.hpp>

namespace mortise::inline MORTISE_ABI::insight {

struct deadlock_options {
  // How often a thread looks; a deadlock is reported at the second look that finds it. 10 ms to 1 minute.
  std::chrono::milliseconds look_every{400};
  // Called on that thread with some lines of text, once for each deadlock. Null: written to standard error. The program goes on: the others may
  // have work to finish.
  void (*report)(const char* text) noexcept = nullptr;
  // Whether the report shows where each waits.
  stacks shown = stacks::kept;
};

// Parties that wait for each other for ever are reported, whatever else goes on: other tasks that run, timers that are pending.
//
// Promises
// - D1 Parties of any kind, each of which waits without a deadline for a mutex or shared_mutex that the next one holds, or joins a scope in which the
//   next one is a task, are reported within two looks: each by name, with what it waits for, who holds that, and its stack. Of such circles that have a party in
//   common, as a scope's tasks with who joins it, one is.
// - D2 Nobody else is: not one that has a deadline, nor one that waits for somebody who runs, or sleeps. What async_lock took counts as held by
//   the task that took it, also when the guard has been given away; in unchecked builds so does what lock took.
//   Once that task is over, it counts as held by the next one that has its place: if that waits for the lock, the report is wrong.
// Does not promise anything about locks that were taken before watching began, in unchecked builds; about
// semaphores, latches and conditions, which anybody may release; std::mutex; or locks taken by async_lock in a coroutine that is no task
// of a runtime.
//
// Cost: a thread that wakes as often as it looks, and what watching waits costs (dump.hpp). Once; later calls do nothing. Throws:
// std::system_error when there is no thread for it, std::invalid_argument for a time out of range.
MORTISE_API void watch_for_deadlocks(deadlock_options options = {});

}  // namespace mortise::inline MORTISE_ABI::insight
