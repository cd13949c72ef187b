// How a shared_mutex is waited for by who blocks; what is done in its queue is in shared_mutex.cpp.
#include <mortise/lock/shared_mutex.hpp>
#include <mortise/wait/budget.hpp>
#include <mortise/wait/waiting.hpp>

namespace mortise::inline MORTISE_ABI {

outcome shared_mutex::wait_for(mode m, const wait::bound& until) noexcept {
  if (wait::budget_left() < 0) wait::refill_budget();
  if (const auto how = until.ended())
    return (m == writing ? try_slow() : try_shared_slow()) ? outcome::acquired : *how;
  return m == writing ? wait::wait_for(acquisition<true>{*this}, until)
                      : wait::wait_for(acquisition<false>{*this}, until);
}

void shared_mutex::lock_shared_slow() noexcept {
  if (!try_shared_slow()) static_cast<void>(wait_for(reading, wait::bound{never}));
}

}  // namespace mortise::inline MORTISE_ABI
