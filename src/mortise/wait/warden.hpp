#pragma once

// Watches offers that nobody takes up.
//
// A lock that is offered to a coroutine or a fiber may be offered to someone who never runs again: an
// executor that was stopped, a worker that is stuck. The parties queued behind must not hang with it
// ("futurelock"). While such an offer stands, the lock is on the warden's list, and one thread of the process
// looks at it every `tick`: an offer older than `offer_bound` is widened to the next in the queue. The thread
// starts with the first such offer and sleeps while the list is empty; programs that only use threads never
// start it.

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI::wait {

// Looks at a lock and chooses whom to tell; the warden wakes them.
using examine_lock = void (*)(void* lock, offer& next) noexcept;

// Adds `lock`; it is examined every tick until `unwatch`. Best effort: false if there is no memory
// or no thread for it, and nothing was added. Called under the lock's queue lock, at most once until
// `unwatch`.
bool watch(void* lock, examine_lock examine) noexcept;

// Takes `lock` off; afterwards it is not touched again. Called under the lock's queue lock, before its queue
// gets empty, so that a lock on the list always has someone queued on it and thus still exists. `examine`
// must therefore not wait for the queue lock.
void unwatch(void* lock) noexcept;

}  // namespace mortise::inline MORTISE_ABI::wait
