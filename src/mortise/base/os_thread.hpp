#pragma once

#include <thread>

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>

#if MORTISE_IS_MODEL
#include <explore/os.hpp>
#endif

// The operating system's threads. Part of the seam that a model checker replaces.
namespace mortise::inline MORTISE_ABI {

#if MORTISE_IS_MODEL
using os_thread = explore::os_thread;
#else
using os_thread = std::thread;
#endif

// A short kernel name, as tools show it; best effort, for whoever looks.
MORTISE_API void name_thread(os_thread& t, const char* name) noexcept;

// Blocks the calling OS thread, whatever runs on it.
MORTISE_API void sleep_this_thread_until(nanos deadline) noexcept;
MORTISE_API void yield_this_thread() noexcept;

// Calls `leave(value)` when the calling thread ends, after the destructors of its thread-locals; these may set another
// value, and then it is called for that one too. One `leave` for the whole process.
MORTISE_API void at_thread_exit(void (*leave)(void* value), void* value) noexcept;

}  // namespace mortise::inline MORTISE_ABI
