#pragma once

// Fibers and coroutines are not preempted. One that locks and unlocks without ever blocking would keep its
// worker for ever, so each lock operation spends from a budget of the OS thread, and when it is gone the
// context is asked: it may yield. The context sizes the budget so that it asks about every 100 us.

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::wait {

inline constexpr int unlimited_budget = 1 << 30;

// A compiler may keep its address across a suspension, after which the caller is on another thread: the
// budget of a thread that is not ours is then spent, which is harmless. Hence relaxed atomic, without an RMW.
// initial-exec: no function call.
extern MORTISE_API __thread int budget __attribute__((tls_model("initial-exec")));

inline int budget_left() noexcept { return __atomic_load_n(&budget, __ATOMIC_RELAXED); }

// Spends one unit. False: the budget is gone, call `refill_budget()` before anything else.
inline bool spend_budget() noexcept {
  const int left = budget_left() - 1;
  __atomic_store_n(&budget, left, __ATOMIC_RELAXED);
  return left >= 0;
}

// Asks the context, which may let others run, and refills. False: the caller is a coroutine and should yield
// before it goes on. Never called with an internal lock held.
MORTISE_API bool refill_budget() noexcept;

}  // namespace mortise::inline MORTISE_ABI::wait
