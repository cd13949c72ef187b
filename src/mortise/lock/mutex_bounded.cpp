// Waits for the mutex that end by a stop request too. (Those with a deadline alone: mutex.cpp.)
#include <mortise/lock/mutex.hpp>
#include <mortise/wait/budget.hpp>
#include <mortise/wait/waiting.hpp>

namespace mortise::inline MORTISE_ABI {

outcome mutex::bounded_slow(const wait::bound& until) noexcept {
  if (wait::budget_left() < 0) wait::refill_budget();
  if (const auto how = until.ended()) return try_slow() ? outcome::acquired : *how;
  return wait::wait_for(exclusive{*this}, until);
}

}  // namespace mortise::inline MORTISE_ABI
