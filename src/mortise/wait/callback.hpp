#pragma once

// How a callback waits: what another library calls once a lock is held, where it likes to be called.

#include <mortise/base/abi.hpp>
#include <mortise/wait/context.hpp>
#include <mortise/wait/executor.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI::wait {

// The parker for a callback that is about to wait with `node`. A wake posts a job to `where`; the job asks `node` to claim, and calls
// `call(with)` once that has succeeded, after everything of the parker has been given back. What the parker's `has_suspended` and
// `abandon` are to a coroutine (coroutine.hpp) they are to a callback: nothing is posted before the first.
MORTISE_API parker& callback_parker(void (*call)(void*), void* with, waiter& node, executor& where) noexcept;

}  // namespace mortise::inline MORTISE_ABI::wait
