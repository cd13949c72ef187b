#include <mortise/wait/budget.hpp>

#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::wait {

MORTISE_PER_THREAD(int) budget{0};

namespace {
// Apart, and never inlined: the context may have moved the caller to another thread, whose budget this now
// is.
[[gnu::noinline]] void set_budget(int n) noexcept { store_any_thread(budget, n); }
}  // namespace

bool refill_budget() noexcept {
  constexpr int after_a_yield = 64;
  const int granted = this_context().refill_budget();
  set_budget(granted > 0 ? granted : after_a_yield);
  return granted > 0;
}

}  // namespace mortise::inline MORTISE_ABI::wait
