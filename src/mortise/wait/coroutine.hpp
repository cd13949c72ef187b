#pragma once

// How a coroutine waits: either as a task of ours (its task block is its parker) or, where it belongs to
// someone else, through a ticket that resumes it on an executor.

#include <coroutine>

#include <mortise/base/abi.hpp>
#include <mortise/wait/context.hpp>
#include <mortise/wait/executor.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI::wait {

// A promise of mortise::task: its coroutine runs as part of a task of a runtime, which resumes it.
template <class Promise>
concept native_promise = requires { typename Promise::runs_as_mortise_task; };

// The parker for a coroutine that is about to suspend with `node`. `native`: its promise is a native_promise.
// `where`: where a foreign coroutine is resumed; null: the default executor. Once `node` has been published and
// the frame is not touched any more, the parker's `has_suspended` lets it be resumed. Where it does not suspend after
// all, or the frame is destroyed after `node` has left its queue, the parker's `abandon` takes this back.
MORTISE_API parker& coroutine_parker(void* frame, waiter& node, bool native, executor* where) noexcept;

}  // namespace mortise::inline MORTISE_ABI::wait
