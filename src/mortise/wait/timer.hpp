#pragma once

#include <cstddef>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::wait {

// Wakes a party at a deadline where nobody else does: a coroutine of another library, a callback. Threads and fibers sleep with a
// deadline by themselves, and so do coroutines of a runtime (parker::wake_at).
//
// Promises
// - K1 Between arm() and disarm() `who` is unparked once, not before `at`; by one thread of the library, which starts with the first
//   timer and sleeps until the next deadline.
// - K2 After disarm() the timer is not touched any more; a wake may still come, as to any parker.
// Cost: O(log n) of the timers that are armed, under one lock of the process. Without memory for it the program ends.
class timer {
 public:
  timer() = default;
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;
  ~timer() { disarm(); }

  // Requires: it is not armed.
  MORTISE_API void arm(parker& who, nanos at) noexcept;
  void disarm() noexcept {
    if (m_who != nullptr) take_back();
  }

 private:
  friend class timer_service;
  MORTISE_API void take_back() noexcept;

  static constexpr std::size_t nowhere = ~std::size_t{0};
  plain<nanos> m_at = never;
  plain<parker*> m_who = nullptr;        // null: never armed
  plain<std::size_t> m_place = nowhere;  // in the service's heap, under its lock
};

}  // namespace mortise::inline MORTISE_ABI::wait
