#pragma once

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI {

// Asks for a handler of SIGSEGV and SIGBUS that names the fiber whose stack overflowed, in one line on
// standard error, and then lets the signal take its course: handlers that were installed before are called,
// else the program ends as without it. The library installs no signal handler unless this is called. Threads
// of runtimes have an alternate signal stack. May be called more than once; from any thread.
MORTISE_API void install_overflow_handler() noexcept;

}  // namespace mortise::inline MORTISE_ABI
