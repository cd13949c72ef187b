#pragma once

// mortise::condition_variable: std's, for threads, fibers and coroutines, with any lock.
//
//     std::unique_lock hold{m};
//     changed.wait(hold, [&] { return !jobs.empty(); });               // from a thread or a fiber
//     while (jobs.empty()) co_await changed.async_wait(hold);          // from a coroutine
//
// guarded<T>::with_when says the same in one line, and cannot forget to notify.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/wait/queue.hpp>
#include <mortise/wait/waiting.hpp>

namespace mortise::inline MORTISE_ABI {

// The interface of std::condition_variable_any.
//
// Promises
// - CV1 A notification ends the wait of one (all) of those that began to wait before it; in their order, whatever their kind.
// - CV2 Those that wait with a std::unique_lock<mortise::mutex> are moved to the mutex's queue: each is woken when the lock is for it.
//   Those with another lock (or another mutex than those that wait already) are woken at once and lock it again.
// - CV3 Who stops waiting by a deadline or a stop request has not eaten a notification. Who was notified and is destroyed before it
//   runs (a coroutine's frame) passes it on.
// - CV4 Who was notified may destroy it, if nobody waits any more: the notification is done with it.
// Does not promise that a wait ends only by notification: use a predicate. 16 bytes; `constexpr` constructor.
class condition_variable {
 public:
  constexpr condition_variable() noexcept = default;
  condition_variable(const condition_variable&) = delete;
  condition_variable& operator=(const condition_variable&) = delete;
  ~condition_variable() = default;

  // Wakes one, or all. Never blocks; cost when nobody waits: one load.
  void notify_one() noexcept {
    if (!m_queue.seems_empty()) notify(false);
  }
  void notify_all() noexcept {
    if (!m_queue.seems_empty()) notify(true);
  }

  // Frees `lock`, waits, and takes it again. Requires: the caller holds `lock`. Blocks: the thread or fiber. Throws: what `lock.lock()` throws.
  template <class Lock>
  void wait(Lock& lock) {
    static_cast<void>(block(lock, wait::bound{never}));
  }
  template <class Lock, class Pred>
  void wait(Lock& lock, Pred pred) {
    while (!pred()) wait(lock);
  }
  template <class Lock, class Rep, class Period>
  std::cv_status wait_for(Lock& lock, std::chrono::duration<Rep, Period> d) {
    return status(block(lock, wait::bound{deadline_after(d)}));
  }
  template <class Lock, class Rep, class Period, class Pred>
  bool wait_for(Lock& lock, std::chrono::duration<Rep, Period> d, Pred pred) {
    return wait_until(lock, wait::bound{deadline_after(d)}, pred);
  }
  template <class Lock, class Clock, class Duration>
  std::cv_status wait_until(Lock& lock, std::chrono::time_point<Clock, Duration> t) {
    // A clock that was set back meanwhile makes it a wake for nothing; one that was notified has not timed out, late as it may be.
    const outcome how = block(lock, wait::bound{deadline_at(t)});
    return how == outcome::timed_out && !has_come(t) ? std::cv_status::no_timeout : status(how);
  }
  template <class Lock, class Clock, class Duration, class Pred>
  bool wait_until(Lock& lock, std::chrono::time_point<Clock, Duration> t, Pred pred) {
    while (!pred()) {
      if (wait_until(lock, t) == std::cv_status::timeout) return pred();
    }
    return true;
  }
  // What `pred()` came to: false only if stop was requested (or `d` is over) first.
  template <class Lock, class Pred>
  bool wait(Lock& lock, std::stop_token stop, Pred pred) {
    return wait_until(lock, wait::bound{std::move(stop)}, pred);
  }
  template <class Lock, class Rep, class Period, class Pred>
  bool wait_for(Lock& lock, std::stop_token stop, std::chrono::duration<Rep, Period> d, Pred pred) {
    return wait_until(lock, wait::bound{std::move(stop), deadline_after(d)}, pred);
  }

  // For coroutines; where they resume: as mutex::async_lock. `hold` is owned again when they go on. What they return is an outcome: `acquired`
  // when it was notified.
  class async_operation;
  [[nodiscard]] async_operation async_wait(std::unique_lock<mutex>& hold,
                                           wait::executor* where = nullptr) noexcept;
  [[nodiscard]] async_operation async_wait_or_stop(std::unique_lock<mutex>& hold, std::stop_token stop,
                                                   wait::executor* where = nullptr) noexcept;
  template <class Rep, class Period>
  [[nodiscard]] async_operation async_wait_for(std::unique_lock<mutex>& hold,
                                               std::chrono::duration<Rep, Period> d,
                                               wait::executor* where = nullptr) noexcept;
  template <class Clock, class Duration>
  [[nodiscard]] async_operation async_wait_until(std::unique_lock<mutex>& hold,
                                                 std::chrono::time_point<Clock, Duration> t,
                                                 wait::executor* where = nullptr) noexcept;

 private:
  // How a waiter stands, in its `mode`; changed in a section.
  enum stage : std::uint8_t {
    waits,        // in our queue; a notification moves it to m_mutex's
    waits_alone,  // in our queue; a notification takes it out and wakes it
    notified,     // in the mutex's queue, or in none
    gave_up,      // by its bound; likewise
  };

  template <class Lock>
  outcome block(Lock& lock, const wait::bound& until) {
    wait::waiter n;
    if constexpr (std::is_same_v<Lock, std::unique_lock<mutex>>) {
      begin(n, lock.mutex(), until.deadline() != never);
      lock.mutex()->unlock();
      return wait_and_lock(n, *lock.mutex(), until);
    } else {
      begin(n, nullptr, until.deadline() != never);
      lock.unlock();
      const outcome how = wait_alone(n, until);
      lock.lock();
      return how;
    }
  }
  template <class Lock, class Pred>
  bool wait_until(Lock& lock, const wait::bound& until, Pred& pred) {
    while (!pred()) {
      if (until.ended() || block(lock, until) != outcome::acquired) return pred();
    }
    return true;
  }
  static std::cv_status status(outcome how) noexcept {
    return how == outcome::timed_out ? std::cv_status::timeout : std::cv_status::no_timeout;
  }

  MORTISE_API void notify(bool all) noexcept;
  MORTISE_API void begin(wait::waiter& n, mutex* m, bool has_deadline) noexcept;
  MORTISE_API outcome wait_and_lock(wait::waiter& n, mutex& m, const wait::bound& until) noexcept;
  MORTISE_API outcome wait_alone(wait::waiter& n, const wait::bound& until) noexcept;
  MORTISE_API bool still_waits(wait::waiter& n, const wait::bound& until, outcome& how) noexcept;
  MORTISE_API bool step(wait::waiter& n, mutex& m, const wait::bound& until, outcome& how) noexcept;
  MORTISE_API void forget(wait::waiter& n, mutex& m) noexcept;

  wait::queue m_queue;
  plain<mutex*> m_mutex = nullptr;  // of those that are at `waits`; in a section
};

class [[nodiscard]] condition_variable::async_operation : wait::waiter {
 public:
  async_operation(condition_variable& cv, std::unique_lock<mutex>& hold, wait::executor* where,
                  wait::bound until) noexcept
      : m_cv{cv}, m_hold{hold}, m_mutex{*hold.mutex()}, m_where{where}, m_limit{std::move(until)} {
    waiter::step = [](waiter& n, request what) noexcept {
      auto& me = static_cast<async_operation&>(n);
      if (what == request::leave) {
        me.m_cv.forget(n, me.m_mutex);
      } else if (!me.m_cv.step(n, me.m_mutex, me.m_limit.of(), me.m_how)) {
        return false;
      }
      n.who = nullptr;  // its wait is over: the frame may go
      return true;
    };
  }
  async_operation(const async_operation&) = delete;
  async_operation& operator=(const async_operation&) = delete;
  ~async_operation() {
    if (who == nullptr) return;
    wait::parker& me = *who;
    m_cv.forget(*this, m_mutex);
    me.abandon();
  }

  static bool await_ready() noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> h) noexcept {
    wait::parker& me = wait::coroutine_parker(h.address(), *this, wait::native_promise<Promise>, m_where);
    who = &me;
    mutex& m = m_mutex;
    m_hold.release();  // a frame that is destroyed while it waits has nothing to unlock
    m_limit.begin(me);
    m_cv.begin(*this, &m, m_limit.has_deadline());
    m.unlock();
    m.noted_async_wait();
    me.has_suspended();  // from here on the frame may be running elsewhere
  }
  outcome await_resume() noexcept {
    m_limit.end();
    m_mutex.noted_async(call_site::current());
    m_hold = std::unique_lock{m_mutex, std::adopt_lock};
    return m_how;
  }

 private:
  condition_variable& m_cv;
  std::unique_lock<mutex>& m_hold;
  mutex& m_mutex;
  wait::executor* m_where;
  wait::limit m_limit;
  outcome m_how = outcome::acquired;
};

inline condition_variable::async_operation condition_variable::async_wait(std::unique_lock<mutex>& hold,
                                                                          wait::executor* where) noexcept {
  return {*this, hold, where, wait::bound{never}};
}
inline condition_variable::async_operation condition_variable::async_wait_or_stop(
    std::unique_lock<mutex>& hold, std::stop_token stop, wait::executor* where) noexcept {
  return {*this, hold, where, wait::bound{std::move(stop)}};
}
template <class Rep, class Period>
condition_variable::async_operation condition_variable::async_wait_for(std::unique_lock<mutex>& hold,
                                                                       std::chrono::duration<Rep, Period> d,
                                                                       wait::executor* where) noexcept {
  return {*this, hold, where, wait::bound::within(d)};
}
template <class Clock, class Duration>
condition_variable::async_operation condition_variable::async_wait_until(
    std::unique_lock<mutex>& hold, std::chrono::time_point<Clock, Duration> t,
    wait::executor* where) noexcept {
  return {*this, hold, where, wait::bound{deadline_at(t)}};
}

}  // namespace mortise::inline MORTISE_ABI
