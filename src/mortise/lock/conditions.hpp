#pragma once

#include <concepts>
#include <exception>
#include <memory>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/outcome.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/wait/limit.hpp>
#include <mortise/wait/queue.hpp>

namespace mortise::inline MORTISE_ABI {

// Those who wait until what a mutex guards is as they want it: the part of guarded<T> that does not know T. Who changes it and unlocks asks
// their predicates, in their order, and moves the first that holds to the mutex's queue; that one, when it has had its turn,
// moves the next. So one update wakes one of a thousand who wait for a job, and nobody wakes in vain, unless the mutex is taken
// past the queue and the state changed back; then it waits on without its code noticing.
class conditions {
  friend class lock_probe;  // tests: who waits

 public:
  struct waiter : wait::waiter {
    bool (*holds)(const waiter&, const void* value) = nullptr;  // on the value; may throw
    std::exception_ptr error;   // what it threw: counts as true, and comes out where it was waited
    bool has_deadline = false;  // for who looks on
  };

  constexpr conditions() noexcept = default;
  conditions(const conditions&) = delete;
  conditions& operator=(const conditions&) = delete;

  // The holder, who may have changed the value, is about to unlock.
  void before_unlock(mutex& m, const void* value) noexcept {
    if (!m_queue.seems_empty()) pick(m, value);
  }

  // Waits until the mutex is held and `n` holds of the value. Blocks: the thread or fiber.
  MORTISE_API outcome wait(waiter& n, mutex& m, const void* value, const wait::bound& until) noexcept;

  // For coroutines, of which begin() has made `n` known. begin: true, the mutex is held and `n` holds. step: the same, after a wake.
  MORTISE_API bool begin(waiter& n, mutex& m, const void* value, bool has_deadline) noexcept;
  MORTISE_API bool step(waiter& n, mutex& m, const void* value, const wait::bound& until,
                        outcome& how) noexcept;
  MORTISE_API void forget(waiter& n, mutex& m) noexcept;
  MORTISE_API static void noted_async(mutex& m, call_site site) noexcept;
  static void noted_async_wait(mutex& m) noexcept { m.noted_async_wait(); }

 private:
  // How a waiter stands, in its `mode`; changed in a section. `arrives`: it has not seen the value yet.
  enum stage : std::uint8_t { arrives, waits, picked, gave_up };

  static bool test(waiter& n, const void* value) noexcept;
  MORTISE_API void pick(mutex& m, const void* value) noexcept;
  bool judge(waiter& n, mutex& m, const void* value) noexcept;
  static outcome noted(mutex& m) noexcept;
  static void enqueue(wait::waiter& n, mutex& m, wait::offer& next) noexcept;
  void pass_on(mutex& m, wait::queue::section& in, wait::offer& next) noexcept;

  wait::queue m_queue;
  // When one was picked that has not had its turn yet, by the age clock, or 0; in a section.
  plain<nanos> m_picked = 0;
};

}  // namespace mortise::inline MORTISE_ABI
