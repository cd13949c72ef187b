#pragma once

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI {

// How a wait that may end in more than one way has ended. The environment is data: misuse of a lock aborts,
// but a deadline, a stop request or a lost lease is told to the caller.
enum class outcome {
  acquired,    // the caller holds the lock
  timed_out,   // the deadline came first; the caller holds nothing
  stopped,     // the stop token came first; the caller holds nothing
  owner_died,  // process scope: acquired, and the holder before died while it held the lock
  lost,        // cluster scope: the lease is gone and the change was not applied
  unknown,     // cluster scope: no reply came; the change may or may not have been applied
};

}  // namespace mortise::inline MORTISE_ABI
