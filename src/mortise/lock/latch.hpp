#pragma once

// mortise::latch: std's, for threads, fibers and coroutines.
//
//     mortise::latch done{3};
//     done.count_down();            // three times
//     done.wait();                  // from a thread or a fiber
//     co_await done.async_wait();   // from a coroutine

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

// Counts down to 0 once, and lets go who waits for that.
//
// Promises
// - L1 Nobody goes on before the count is 0; what was written before a count_down is seen by who goes on.
// - L2 count_down runs no waiter's code; the one that reaches 0 wakes all.
// - L3 Whoever has seen it at 0 may destroy it: the destructor waits for a count_down that is on its way out.
// 16 bytes; `constexpr` constructor; neither copied nor moved.
class latch {
 public:
  static constexpr std::ptrdiff_t max() noexcept { return std::numeric_limits<std::int32_t>::max(); }

  // Requires: 0 <= expected <= max().
  constexpr explicit latch(std::ptrdiff_t expected) noexcept
      : m_state{static_cast<std::uint64_t>(expected)} {}
  latch(const latch&) = delete;
  latch& operator=(const latch&) = delete;
#if __cpp_constexpr_dynamic_alloc
  constexpr
#endif
      ~latch() {
    if (!__builtin_is_constant_evaluated()) going_away();
  }

  // Requires: 0 <= n, and no more than is left; else one line is printed and the program ends. Never blocks.
  MORTISE_API void count_down(std::ptrdiff_t n = 1) noexcept;
  [[nodiscard]] bool try_wait() const noexcept {
    return (m_state.load(memory_order_acquire) & count) == 0;
  }  // O1

  // Waits until the count is 0. Blocks: the thread or fiber.
  void wait() noexcept {
    if (!try_wait()) static_cast<void>(wait_for(mortise::wait::bound{never}));
  }
  void arrive_and_wait(std::ptrdiff_t n = 1) noexcept {
    count_down(n);
    wait();
  }
  // False: `d` was over first. And as semaphores do, with a stop token.
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(std::chrono::duration<Rep, Period> d) noexcept {
    return try_wait() || wait_for(mortise::wait::bound{deadline_after(d)}) == outcome::acquired;
  }
  [[nodiscard]] outcome wait_or_stop(std::stop_token stop) noexcept {
    return try_wait() ? outcome::acquired : wait_for(mortise::wait::bound{std::move(stop)});
  }

  // For coroutines; where they resume: as mutex::async_lock. `outcome how = co_await done.async_wait_or_stop(token);`
  [[nodiscard]] auto async_wait(mortise::wait::executor* where = nullptr) noexcept {
    return plain_operation{{*this}, where};
  }
  [[nodiscard]] auto async_wait_or_stop(std::stop_token stop,
                                        mortise::wait::executor* where = nullptr) noexcept {
    return bounded_operation{{*this}, where, mortise::wait::bound{std::move(stop)}};
  }
  template <class Rep, class Period>
  [[nodiscard]] auto async_wait_for(std::chrono::duration<Rep, Period> d,
                                    mortise::wait::executor* where = nullptr) noexcept {
    return bounded_operation{{*this}, where, mortise::wait::bound::within(d)};
  }

 private:
  struct zero {
    latch& l;
    mortise::wait::subject subject() const noexcept { return {&l, "latch"}; }
    bool try_fast() const noexcept { return l.try_wait(); }
    bool take_or_queue(mortise::wait::waiter& n) const noexcept { return l.done_or_queue(n); }
    bool claim(mortise::wait::waiter& n) const noexcept { return l.claim(n); }
    void leave(mortise::wait::waiter& n) const noexcept { l.leave(n); }
  };
  struct plain_operation : mortise::wait::async_wait<zero> {
    using mortise::wait::async_wait<zero>::async_wait;
    static void await_resume() noexcept {}
  };
  struct bounded_operation : mortise::wait::async_wait<zero, mortise::wait::limit> {
    using mortise::wait::async_wait<zero, mortise::wait::limit>::async_wait;
    outcome await_resume() noexcept { return this->result(); }
  };

  static constexpr std::uint64_t count = 0xffff'ffff;
  static constexpr std::uint64_t queued = std::uint64_t{1} << 32;     // somebody is, or was, in the queue
  static constexpr std::uint64_t releasing = std::uint64_t{1} << 33;  // who reached 0 still wakes

  MORTISE_API outcome wait_for(const mortise::wait::bound& until) noexcept;
  MORTISE_API bool done_or_queue(mortise::wait::waiter& n) noexcept;
  MORTISE_API bool claim(mortise::wait::waiter& n) noexcept;
  MORTISE_API void leave(mortise::wait::waiter& n) noexcept;
  MORTISE_API void going_away() noexcept;

  atomic<std::uint64_t> m_state;
  mortise::wait::queue m_queue;
};

}  // namespace mortise::inline MORTISE_ABI
