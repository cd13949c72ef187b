#pragma once

// Fibers and coroutines are not preempted. One that locks and unlocks without ever blocking would keep its worker for
// ever, so each lock operation spends from a budget of the OS thread, and when it is gone the context is asked: it may
// yield. The context sizes the budget so that it asks about every 100 us.

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::wait {

inline constexpr int unlimited_budget = 1 << 30;

// initial-exec: one instruction relative to the thread register, so that no address can be cached across a suspension on
// x86-64. Where a compiler caches it all the same, the budget of another thread is spent: harmless.
#if defined(__clang__) || defined(__GNUC__)
extern MORTISE_API __thread int budget __attribute__((tls_model("initial-exec")));
#endif

// Spends one unit. False: the budget is gone, call `refill_budget()` before anything else.
inline bool spend_budget() noexcept { return --budget >= 0; }

// Asks the context, which may let others run, and refills. False: the caller is a coroutine and should yield before it goes
// on. Never called with an internal lock held.
MORTISE_API bool refill_budget() noexcept;

}  // namespace mortise::inline MORTISE_ABI::wait
