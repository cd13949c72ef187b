#pragma once

#include <sched.h>

#include <mortise/base/atomic.hpp>

namespace mortise::inline MORTISE_ABI {

// For a few instructions, and almost never contended: one RMW to take, one store to give back. Whoever waits lets others of
// the OS run now and then, in case the holder has lost its core.
class spin_lock {
 public:
  void lock() noexcept {
    for (int turns = 1; m_taken.exchange(true, memory_order_acquire);
         ++turns) {  // acquire <-> unlock's release
      if (turns % 64 == 0) {
        ::sched_yield();
      } else {
        cpu_relax();
      }
    }
  }
  void unlock() noexcept {
    m_taken.store(false, memory_order_release);
  }  // publishes what was done under the lock

 private:
  atomic<bool> m_taken{false};
};

class spin_guard {
 public:
  explicit spin_guard(spin_lock& l) noexcept : m_lock{l} { m_lock.lock(); }
  ~spin_guard() { m_lock.unlock(); }
  spin_guard(const spin_guard&) = delete;
  spin_guard& operator=(const spin_guard&) = delete;

 private:
  spin_lock& m_lock;
};

}  // namespace mortise::inline MORTISE_ABI
