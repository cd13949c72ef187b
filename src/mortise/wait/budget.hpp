#pragma once

// Fibers and coroutines are not preempted. One that locks and unlocks without ever blocking would keep its
// worker for ever, so each lock operation spends from a budget of the OS thread, and when it is gone the
// context is asked: it may yield. The context sizes the budget so that it asks about every 100 us.

#include <mortise/base/abi.hpp>
#include <mortise/base/per_thread.hpp>

namespace mortise::inline MORTISE_ABI::wait {

inline constexpr int unlimited_budget = 1 << 30;

// The budget of a thread that is not ours may be spent, when the compiler kept its address across a suspension: harmless.
MORTISE_EXTERN_PER_THREAD(int) budget;

inline int budget_left() noexcept { return load_any_thread(budget); }

// Whether the caller is preempted by the kernel, and so has no budget to heed. May say no for such a one, too.
inline bool budget_is_unlimited() noexcept { return budget_left() > unlimited_budget / 2; }

// Spends one unit. False: the budget is gone, call `refill_budget()` before anything else.
inline bool spend_budget() noexcept {
  const int left = budget_left() - 1;
  store_any_thread(budget, left);
  return left >= 0;
}

// Asks the context, which may let others run, and refills. False: the caller is a coroutine and should yield
// before it goes on. Never called with an internal lock held.
MORTISE_API bool refill_budget() noexcept;

}  // namespace mortise::inline MORTISE_ABI::wait
