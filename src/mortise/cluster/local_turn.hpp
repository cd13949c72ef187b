#pragma once

#include <mortise/base/abi.hpp>
#include <mortise/lock/call_site.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI {

// The mortise::mutex in front of a lock of the cluster: who has it represents the process outside. Waited for as one part of a longer
// wait (cluster/front.hpp), and given up by whoever has to: a store's thread, when the party that represented is gone.
class local_turn {
 public:
  bool try_take() noexcept {
    if (!m_mutex.try_fast() && !m_mutex.try_slow()) return false;
    noted();
    return true;
  }
  // As wait::acquisition.
  bool take_or_queue(wait::waiter& n) noexcept {
    if (!m_mutex.try_fast() && !m_mutex.take_or_queue(n)) return false;
    noted();
    return true;
  }
  bool claim(wait::waiter& n) noexcept {
    if (!mutex::exclusive{m_mutex}.claim(n)) return false;
    noted();
    return true;
  }
  void leave(wait::waiter& n) noexcept { m_mutex.leave(n); }
  void give_up() noexcept { m_mutex.unlock(); }

 private:
  void noted() noexcept { m_mutex.noted_async(call_site::current()); }
  mutex m_mutex;
};

}  // namespace mortise::inline MORTISE_ABI
