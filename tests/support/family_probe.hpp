#pragma once

#include <mortise/lock/semaphore.hpp>
#include <mortise/lock/shared_mutex.hpp>

namespace mortise::inline MORTISE_ABI {

// What tests may see of a semaphore and of a shared mutex. Tests wait for states, not for times.
class family_probe {
 public:
  static unsigned waiters(shared_mutex& m) { return in(m.m_queue); }
  template <std::ptrdiff_t N>
  static unsigned waiters(counting_semaphore<N>& s) {
    return in(static_cast<semaphore_core&>(s).m_queue);
  }

  // Nobody goes before the first in the queue any more.
  static bool reserved(shared_mutex& m) { return (m.m_state.load() & shared_mutex::reserved) != 0; }
  template <std::ptrdiff_t N>
  static bool reserved(counting_semaphore<N>& s) {
    return (static_cast<semaphore_core&>(s).m_state.load() & semaphore_core::reserved) != 0;
  }

  // Counts its readers in slots from now on, as if they had got into each other's way. Nobody holds it.
  static void give_slots(shared_mutex& m) {
    m.lock_shared();
    for (int i = 0; i < 2; ++i) quarrel(m);  // the first time a writer may have been inside
    m.unlock_shared();
  }
  // What a reader that has lost to others too often does. The caller is one.
  static void quarrel(shared_mutex& m) { m.give_slots(); }
  static bool has_slots(shared_mutex& m) { return (m.m_state.load() & shared_mutex::slots) != 0; }

 private:
  static unsigned in(wait::queue& q) {
    const wait::queue::section all{q};
    unsigned n = 0;
    for (const wait::waiter* x = all.head(); x != nullptr; x = x->next) ++n;
    return n;
  }
};

}  // namespace mortise::inline MORTISE_ABI
