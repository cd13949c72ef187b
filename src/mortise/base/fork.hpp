#pragma once

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/os_mutex.hpp>

// What the whole process shares, over a fork. The child has the forking thread alone: a lock that another thread held at
// that moment would stay locked in it for ever, and a background thread would be missing.
namespace mortise::inline MORTISE_ABI {

MORTISE_API void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept;

namespace fork_detail {

MORTISE_API extern constinit atomic<unsigned> forks;

template <auto& Shared>
bool hold() noexcept {
  static const bool once = [] {
    at_fork([] { Shared->guard.lock(); }, [] { Shared->guard.unlock(); },
            [] {
              if constexpr (requires { Shared->in_child(); }) Shared->in_child();
              Shared->guard.unlock();
            });
    return true;
  }();
  return once;
}

// As the program is loaded, when there is no thread yet to fork amid the first use of `once`.
template <auto& Shared>
inline const bool held_since_load = hold<Shared>();

}  // namespace fork_detail

// How many forks this process has come through, as the child. Counted before anything else of ours runs in it.
inline unsigned forks_come_through() noexcept {
  return fork_detail::forks.load(memory_order_relaxed);  // it changes while there is one thread
}

// `Shared->guard` is held over every fork, so that the child finds it free and what it guards whole: since the program was
// loaded, or since this was called, by a static object that was constructed before.
// In the child `Shared->in_child()` is called first, where there is such a thing.
// Requires: who holds the guard takes no other one that is held over forks.
template <auto& Shared>
void hold_over_forks() noexcept {
#if !MORTISE_IS_MODEL
  if (!fork_detail::held_since_load<Shared>) fork_detail::hold<Shared>();
#endif
}

}  // namespace mortise::inline MORTISE_ABI
