#pragma once

#include <mortise/base/abi.hpp>
#include <mortise/base/os_mutex.hpp>

// What the whole process shares, over a fork. The child has the forking thread alone: a lock that another thread held at
// that moment would stay locked in it for ever, and a background thread would be missing.
namespace mortise::inline MORTISE_ABI {

MORTISE_API void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept;

// From the first call on `Shared->guard` is held over every fork, so that the child finds it free and what it guards whole.
// In the child `Shared->in_child()` is called first, where there is such a thing.
// Requires: who holds the guard takes no other one that is held over forks.
template <auto& Shared>
void hold_over_forks() noexcept {
#if !MORTISE_IS_MODEL
  [[maybe_unused]] static const bool once = [] {
    at_fork([] { Shared->guard.lock(); }, [] { Shared->guard.unlock(); },
            [] {
              if constexpr (requires { Shared->in_child(); }) Shared->in_child();
              Shared->guard.unlock();
            });
    return true;
  }();
#endif
}

}  // namespace mortise::inline MORTISE_ABI
