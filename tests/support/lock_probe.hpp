#pragma once

#include <thread>

#include <mortise/lock/mutex.hpp>

namespace mortise::inline MORTISE_ABI {

// What tests may see of a mutex: how many wait. Tests wait for states, not for times.
class lock_probe {
 public:
  static unsigned waiters(mutex& m) {
    const std::uint64_t w = m.take_queue_lock();
    unsigned n = 0;
    for (const wait::waiter* x = mutex::head_of(w); x != nullptr; x = x->next) ++n;
    m.release_queue_lock(w);
    return n;
  }

  static void wait_for_waiters(mutex& m, unsigned n) {
    while (waiters(m) != n) std::this_thread::yield();
  }
};

}  // namespace mortise::inline MORTISE_ABI
