#pragma once

// mortise::counting_semaphore, binary_semaphore: std's, for threads, fibers and coroutines, in one queue.
//
//     constinit mortise::counting_semaphore<> permits{8};
//     permits.acquire();  ...  permits.release();             // from a thread or a fiber
//     co_await permits.async_acquire();                       // from a coroutine
//     if (co_await permits.async_try_acquire_for(10ms)) ...

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stop_token>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/outcome.hpp>
#include <mortise/wait/queue.hpp>
#include <mortise/wait/waiting.hpp>

namespace mortise::inline MORTISE_ABI {

// Counts permits: acquire takes one, and waits while there is none; release gives some. Who releases need not have acquired.
//
// Promises
// - Q1 As many acquire as were there at first and were released, not more; what was written before a release is seen by who
//   acquires what it gave.
// - Q2 One queue for all kinds of waiters. A permit may be taken past the queue until the first in it has waited 1 ms, came when it
//   was told, and found none: from then on it is next.
// - Q3 release runs no waiter's code. It wakes as many as it gives permits, one after the other.
// - Q4 One that is told to come and never runs holds nobody up for longer than some 4 ms.
// - Q5 A bounded wait says false, timed_out or stopped only without a permit, and passes on what it was told.
// - Q6 Whoever acquires may destroy it: the destructor waits for a release that is on its way out.
// Does not promise an order among those who do not have to wait. 16 bytes; `constexpr` constructor; neither copied nor moved.
class semaphore_core {
  friend class family_probe;  // tests: who waits
  friend class lock_access;   // asio/: how else it is waited for

 public:
  static constexpr std::ptrdiff_t most = std::numeric_limits<std::int32_t>::max();

  constexpr explicit semaphore_core(std::ptrdiff_t initially) noexcept
      : m_state{static_cast<std::uint64_t>(initially)} {}
  semaphore_core(const semaphore_core&) = delete;
  semaphore_core& operator=(const semaphore_core&) = delete;
#if __cpp_constexpr_dynamic_alloc
  constexpr
#endif
      ~semaphore_core() {
    if (!__builtin_is_constant_evaluated()) wait_for_releases();
  }

 protected:
  // The parts of m_state.
  static constexpr std::uint64_t permit = 1;             // bits 0 to 31: the permits
  static constexpr std::uint64_t permits = 0xffff'ffff;  //
  static constexpr std::uint64_t releasing = std::uint64_t{1}
                                             << 32;  // bits 32 to 59: releases that have more to do
  static constexpr std::uint64_t releases = std::uint64_t{0xfff'ffff} << 32;
  static constexpr std::uint64_t queued = std::uint64_t{1} << 62;
  static constexpr std::uint64_t reserved = std::uint64_t{1} << 63;

  bool try_take() noexcept {
    std::uint64_t s = m_state.load(memory_order_relaxed);  // O3
    while ((s & permits) != 0 && (s & reserved) == 0) {
      if (m_state.compare_exchange_weak(s, s - permit, memory_order_acquire, memory_order_relaxed))
        return true;  // O1
    }
    return false;
  }
  MORTISE_API void give(std::ptrdiff_t n, std::ptrdiff_t max) noexcept;
  MORTISE_API outcome take(const wait::bound& until) noexcept;

  struct one_permit {
    semaphore_core& s;
    wait::subject subject() const noexcept { return {&s, "semaphore"}; }
    bool try_fast() const noexcept { return s.try_take(); }
    bool take_or_queue(wait::waiter& n) const noexcept { return s.take_or_queue(n); }
    bool claim(wait::waiter& n) const noexcept { return s.claim(n); }
    void leave(wait::waiter& n) const noexcept { s.leave(n); }
  };

 private:
  MORTISE_API bool take_or_queue(wait::waiter& n) noexcept;
  MORTISE_API bool claim(wait::waiter& n) noexcept;
  MORTISE_API void leave(wait::waiter& n) noexcept;
  MORTISE_API void wait_for_releases() const noexcept;
  void left(const wait::queue::section& in) noexcept;
  bool tell(wait::queue::section& in, wait::offer& next) noexcept;
  static void examine(void* self, wait::offer& next) noexcept;

  atomic<std::uint64_t> m_state;
  wait::queue m_queue;
};

// The interface of std::counting_semaphore, and more ways to wait.
template <std::ptrdiff_t LeastMax = semaphore_core::most>
class counting_semaphore : semaphore_core {
  friend class family_probe;
  friend class lock_access;  // asio/: how else it is waited for
  static_assert(LeastMax >= 0 && LeastMax <= semaphore_core::most, "a semaphore counts to 2^31 - 1 at most");

 public:
  // Requires: 0 <= initially <= max().
  constexpr explicit counting_semaphore(std::ptrdiff_t initially) noexcept : semaphore_core{initially} {}

  static constexpr std::ptrdiff_t max() noexcept { return LeastMax; }

  // Takes a permit; waits while there is none. Blocks: the thread or fiber. Cost: one RMW when there is one.
  void acquire() noexcept {
    if (!wait::spend_budget() || !try_take()) static_cast<void>(take(wait::bound{never}));
  }

  // Takes a permit if there is one and nobody has been waiting in earnest (1 ms). Never blocks, never fails spuriously.
  [[nodiscard]] bool try_acquire() noexcept { return try_take(); }

  // Waits no longer than `d`, or until `t`; true: has taken a permit.
  template <class Rep, class Period>
  [[nodiscard]] bool try_acquire_for(std::chrono::duration<Rep, Period> d) noexcept {
    return try_take() || take(wait::bound{deadline_after(d)}) == outcome::acquired;
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_acquire_until(std::chrono::time_point<Clock, Duration> t) noexcept {
    while (!try_take() && take(wait::bound{deadline_at(t)}) != outcome::acquired) {
      if (has_come(t)) return false;
    }
    return true;
  }

  // Waits until it has a permit, stop is requested, or `d` is over: exactly one of `acquired`, `stopped` and `timed_out`.
  [[nodiscard]] outcome acquire_or_stop(std::stop_token stop) noexcept {
    return try_take() ? outcome::acquired : take(wait::bound{std::move(stop)});
  }
  template <class Rep, class Period>
  [[nodiscard]] outcome acquire_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d) noexcept {
    return try_take() ? outcome::acquired : take(wait::bound{std::move(stop), deadline_after(d)});
  }

  // Gives `n` permits, and wakes so many waiters. Requires: 0 <= n, and no more than max() permits then; else one line is printed
  // and the program ends. Never blocks. Cost: one RMW when nobody waits.
  void release(std::ptrdiff_t n = 1) noexcept { give(n, LeastMax); }

  // For coroutines: `co_await s.async_acquire();`. Where it resumes: as for mutex::async_lock.
  [[nodiscard]] auto async_acquire(wait::executor* where = nullptr) noexcept {
    return plain_operation{{*this}, where};
  }

  // `bool got = co_await s.async_try_acquire_for(10ms);`
  template <class Rep, class Period>
  [[nodiscard]] auto async_try_acquire_for(std::chrono::duration<Rep, Period> d,
                                           wait::executor* where = nullptr) noexcept {
    return timed_operation{{*this}, where, wait::bound::within(d)};
  }

  template <class Clock, class Duration>
  [[nodiscard]] auto async_try_acquire_until(std::chrono::time_point<Clock, Duration> t,
                                             wait::executor* where = nullptr) noexcept {
    return timed_operation{{*this}, where, wait::bound{deadline_at(t)}};
  }

  // `outcome how = co_await s.async_acquire_or_stop(token);`
  [[nodiscard]] auto async_acquire_or_stop(std::stop_token stop, wait::executor* where = nullptr) noexcept {
    return stoppable_operation{{*this}, where, wait::bound{std::move(stop)}};
  }
  template <class Rep, class Period>
  [[nodiscard]] auto async_acquire_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d,
                                           wait::executor* where = nullptr) noexcept {
    return stoppable_operation{{*this}, where, wait::bound::within(d, std::move(stop))};
  }

 private:
  struct plain_operation : wait::async_wait<one_permit> {
    using wait::async_wait<one_permit>::async_wait;
    static void await_resume() noexcept {}
  };
  struct stoppable_operation : wait::async_wait<one_permit, wait::limit> {
    using wait::async_wait<one_permit, wait::limit>::async_wait;
    outcome await_resume() noexcept { return this->result(); }
  };
  struct timed_operation : wait::async_wait<one_permit, wait::limit> {
    using wait::async_wait<one_permit, wait::limit>::async_wait;
    bool await_resume() noexcept { return this->result() == outcome::acquired; }
  };
};

using binary_semaphore = counting_semaphore<1>;

}  // namespace mortise::inline MORTISE_ABI
