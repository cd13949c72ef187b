#pragma once

#include <thread>

#include <mortise/lock/guarded.hpp>
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

  template <class T>
  static unsigned waiters(guarded<T>& g) {
    return waiters(g.m_mutex);
  }

  // How many wait for a condition, and have not been picked.
  template <class T>
  static unsigned conditions(guarded<T>& g) {
    const wait::queue::section in{g.m_conditions.m_queue};
    unsigned n = 0;
    for (const wait::waiter* x = in.head(); x != nullptr; x = x->next) ++n;
    return n;
  }

  // Whether the first in the queue insists: nobody goes before it any more.
  static bool insists(mutex& m) {
    const std::uint64_t w = m.take_queue_lock();
    const wait::waiter* const head = mutex::head_of(w);
    const bool yes = head != nullptr && head->insists;
    m.release_queue_lock(w);
    return yes;
  }

  // What a mutex looks like to someone who must not wait for it, in a program that hangs. `visit` is called for
  // each waiter, in their order, under the queue lock; false: that lock could not be had in `tries`, and nobody
  // was visited.
  struct view {
    bool held, reserved, watched, queue_locked;
  };
  template <class Visit>
  static bool look(mutex& m, unsigned tries, view& seen, Visit visit) {
    using word = mutex::word;
    std::uint64_t w = m.m_word.load(memory_order_relaxed);
    for (;; --tries) {
      seen = {(w & word::held) != 0, (w & word::starving) != 0, (w & word::watched) != 0,
              (w & word::queue_lock) != 0};
      if (tries == 0) return false;
      if (seen.queue_locked) {
        std::this_thread::yield();
        w = m.m_word.load(memory_order_relaxed);
      } else if (m.try_queue_lock(w)) {
        break;
      }
    }
    for (const wait::waiter* x = mutex::head_of(w); x != nullptr; x = x->next) visit(*x);
    m.release_queue_lock(w);
    return true;
  }

  // Does something while the queue is locked, as another thread may at any time.
  template <class F>
  static void while_queue_is_locked(mutex& m, F f) {
    const std::uint64_t w = m.take_queue_lock();
    f();
    m.release_queue_lock(w);
  }

  static void wait_for_waiters(mutex& m, unsigned n) {
    while (waiters(m) != n) std::this_thread::yield();
  }
};

}  // namespace mortise::inline MORTISE_ABI
