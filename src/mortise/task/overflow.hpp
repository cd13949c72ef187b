#pragma once

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI {

// Asks for a handler of SIGSEGV and SIGBUS that names the fiber whose stack overflowed. Threads of runtimes have an
// alternate signal stack. May be called more than once; from any thread.
//
// Promises
// - V1 The line on standard error names fiber, runtime and stack size.
// - V2 Then the signal takes its course: a handler that was installed before is called, else the program ends as
//   without this one.
// - V3 The library installs no signal handler unless this is called.
MORTISE_API void install_overflow_handler() noexcept;

}  // namespace mortise::inline MORTISE_ABI
