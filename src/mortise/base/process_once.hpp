#pragma once

#include <climits>
#include <cstdint>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/fork.hpp>
#include <mortise/base/futex.hpp>

namespace mortise::inline MORTISE_ABI {

// What the process does once, also where a fork falls amid it: the child, which has the forking thread alone, begins it again. A
// function's static would stay locked in the child for ever; of std::call_once it is glibc's alone that begins again, not musl's nor
// ThreadSanitizer's.
//
//     static constinit process_once made;
//     made([] { ... });
//
// Blocks the OS thread while another one is amid it. What it throws comes out, and the next one tries.
// Requires: it neither forks nor comes here again, and bears being begun a second time.
//
// Word m_state: not_begun, done, or first_begun + the forks that whoever is amid it had come through. One that was
// begun before a fork is of a thread that the child has not.
class process_once {
 public:
  constexpr process_once() noexcept = default;
  process_once(const process_once&) = delete;
  process_once& operator=(const process_once&) = delete;

  template <class F>
  void operator()(F&& once) {
    // acquire <- the release behind `once`: what it has done is there
    while (m_state.load(memory_order_acquire) != done) {
      const std::uint32_t begun = first_begun + forks_come_through();
      // relaxed, also where the exchange fails: what was seen is compared again, by the exchange or the kernel. The exchange: acquire <- the
      // release behind one that threw: what that one has left
      std::uint32_t seen = m_state.load(memory_order_relaxed);
      if (seen == begun) {
        futex_wait(m_state, begun, never);
      } else if (seen != done &&
                 m_state.compare_exchange_strong(seen, begun, memory_order_acquire, memory_order_relaxed)) {
        ending end{*this};
        std::forward<F>(once)();
        end.as = done;
      }
    }
  }

 private:
  enum : std::uint32_t { not_begun, done, first_begun };

  struct ending {
    process_once& me;
    std::uint32_t as = not_begun;
    ~ending() {
      me.m_state.store(as, memory_order_release);  // -> the acquires above
      futex_wake(me.m_state, INT_MAX);
    }
  };

  atomic<std::uint32_t> m_state{not_begun};
};

}  // namespace mortise::inline MORTISE_ABI
