#pragma once

// Waiting for a moment, and giving way.
//
//     mortise::sleep_for(1ms);                       // fibers and threads
//     co_await mortise::async_sleep_for(1ms);        // coroutines
//     if (!mortise::sleep_for(1h, stop)) return;     // ends early when stop is requested
//
// In a task with precise_sleep late by some microseconds on an idle machine, as long as that takes no more than a tenth of its worker's time
// (runtime.hpp); else, and on a plain thread, by what the kernel makes of it.
//
// Promises
// - Z1 Never early, not even by a nanosecond, on the monotonic clock.
// - Z2 A duration of zero or less, or a moment that has passed, returns at once.
// - Z3 A sleep with a stop token ends when stop is requested, and tells which of the two it was.

#include <chrono>
#include <coroutine>
#include <optional>
#include <stop_token>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/wait/coroutine.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI {

namespace task_detail {

class timers;
class task_block;

MORTISE_API void sleep_until(nanos deadline) noexcept;
MORTISE_API void sleep_for(nanos d) noexcept;
MORTISE_API bool sleep_until(nanos deadline, std::stop_token stop);
MORTISE_API void async_sleep(void* frame, bool native,
                             nanos when) noexcept;  // a deadline, or a duration below 0
MORTISE_API void async_yield(void* frame, bool native) noexcept;

// Repeats a sleep until a moment of a clock that may be set.
template <class Clock, class Duration, class Sleep>
bool sleep_until_clock(std::chrono::time_point<Clock, Duration> t, Sleep&& sleep) {
  if constexpr (std::is_same_v<Clock, steady>) {
    return sleep(deadline_at(t));
  } else {
    while (!has_come(t)) {
      if (!sleep(deadline_at(t))) return false;
    }
    return true;
  }
}

}  // namespace task_detail

// Blocks: the fiber or thread; in a coroutine's step the worker goes on with other tasks, but async_sleep_for
// is meant.
template <class Rep, class Period>
void sleep_for(std::chrono::duration<Rep, Period> d) {
  if (d > d.zero()) task_detail::sleep_for(to_nanos(d));
}

template <class Clock, class Duration>
void sleep_until(std::chrono::time_point<Clock, Duration> t) {
  task_detail::sleep_until_clock(t, [](nanos deadline) {
    task_detail::sleep_until(deadline);
    return true;
  });
}

// True: slept in full; false: stop was requested before the time was over. Cost: a stop callback on top of
// the sleep.
template <class Rep, class Period>
bool sleep_for(std::chrono::duration<Rep, Period> d, std::stop_token stop) {
  return task_detail::sleep_until(deadline_after(d), std::move(stop));
}

template <class Clock, class Duration>
bool sleep_until(std::chrono::time_point<Clock, Duration> t, std::stop_token stop) {
  return task_detail::sleep_until_clock(
      t, [&](nanos deadline) { return task_detail::sleep_until(deadline, stop); });
}

// Lets the other runnable tasks of this worker run first. On a plain thread std::this_thread::yield().
MORTISE_API void yield() noexcept;

class [[nodiscard]] async_sleep_operation {
 public:
  explicit async_sleep_operation(nanos when) noexcept : m_when{when} {}
  bool await_ready() const noexcept { return m_when == 0; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> h) const noexcept {
    task_detail::async_sleep(h.address(), wait::native_promise<Promise>, m_when);
  }
  static void await_resume() noexcept {}

 private:
  nanos m_when;  // a deadline, or below 0 a duration: frames are counted in bytes
};

// For coroutines. One that is no task of a runtime goes on in a fiber of the default runtime.
template <class Rep, class Period>
async_sleep_operation async_sleep_for(std::chrono::duration<Rep, Period> d) noexcept {
  return async_sleep_operation{-to_nanos(d)};
}

// Until a moment of the monotonic clock.
template <class Duration>
async_sleep_operation async_sleep_until(std::chrono::time_point<steady, Duration> t) noexcept {
  return async_sleep_operation{deadline_at(t)};
}

class [[nodiscard]] async_stoppable_sleep_operation : wait::waiter {
 public:
  async_stoppable_sleep_operation(nanos deadline, std::stop_token stop) noexcept;
  async_stoppable_sleep_operation(const async_stoppable_sleep_operation&) = delete;
  async_stoppable_sleep_operation& operator=(const async_stoppable_sleep_operation&) = delete;
  ~async_stoppable_sleep_operation() = default;

  bool await_ready() const noexcept { return over(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> h) {
    suspend(h.address(), wait::native_promise<Promise>);
  }
  MORTISE_API bool await_resume() noexcept;

 private:
  struct wake {
    wait::parker* who;
    void operator()() const noexcept { who->unpark(); }
  };
  bool over() const noexcept { return m_stop.stop_requested() || now_ns() >= m_deadline; }
  MORTISE_API void suspend(void* frame, bool native);

  nanos m_deadline;
  std::stop_token m_stop;
  std::optional<std::stop_callback<wake>> m_on_stop;
  task_detail::task_block* m_limited = nullptr;
  task_detail::timers* m_armed = nullptr;
};

inline async_stoppable_sleep_operation::async_stoppable_sleep_operation(nanos deadline,
                                                                        std::stop_token stop) noexcept
    : m_deadline{deadline}, m_stop{std::move(stop)} {
  step = [](waiter& n, request what) noexcept {
    return what == request::leave || static_cast<async_stoppable_sleep_operation&>(n).over();
  };
}

// `bool in_full = co_await async_sleep_for(1s, stop);` in a task of a runtime.
template <class Rep, class Period>
async_stoppable_sleep_operation async_sleep_for(std::chrono::duration<Rep, Period> d,
                                                std::stop_token stop) noexcept {
  return {deadline_after(d), std::move(stop)};
}

template <class Duration>
async_stoppable_sleep_operation async_sleep_until(std::chrono::time_point<steady, Duration> t,
                                                  std::stop_token stop) noexcept {
  return {deadline_at(t), std::move(stop)};
}

struct [[nodiscard]] async_yield_operation {
  static bool await_ready() noexcept { return false; }
  template <class Promise>
  static void await_suspend(std::coroutine_handle<Promise> h) noexcept {
    task_detail::async_yield(h.address(), wait::native_promise<Promise>);
  }
  static void await_resume() noexcept {}
};

// `co_await async_yield();` lets the other runnable tasks of this worker run first.
inline async_yield_operation async_yield() noexcept { return {}; }

}  // namespace mortise::inline MORTISE_ABI
