#pragma once

// mortise::mutex: mutual exclusion for threads, fibers and coroutines, in one queue.
//
//     constinit mortise::mutex m;                        // 8 bytes, needs no initialisation at run time
//
//     { std::lock_guard hold{m}; ++shared; }             // from a thread or a fiber
//     { auto hold = co_await m.async_lock(); ++shared; } // from a coroutine
//
// (examples/mixed.cpp is this at full length.)

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/restartable.hpp>
#include <mortise/lock/call_site.hpp>
#include <mortise/lock/thread_safety.hpp>
#include <mortise/wait/budget.hpp>
#include <mortise/wait/coroutine.hpp>
#include <mortise/wait/limit.hpp>
#include <mortise/wait/waiter.hpp>
#include <mortise/wait/waiting.hpp>

namespace mortise::inline MORTISE_ABI {

class condition_variable;
class conditions;
namespace shm {
class door;
}

// A mutual exclusion lock. Meets *TimedLockable*: std::lock_guard, std::unique_lock and std::scoped_lock work
// with it.
//
// Promises (docs/proof.md tells what holds each)
// - M1 At most one party holds it; what a holder wrote is seen by the next.
// - M2 One queue for all kinds of waiters. A free lock may be taken past the queue until the first in it has waited
//   1 ms, has come when it was told, and found the lock taken: the next unlock gives it to that one. It is told at once, so
//   it is passed for 1 ms, the time that the system takes to run it, and a turn of 0.1 ms at most.
// - M3 unlock runs no waiter's code.
// - M4 unlock touches the mutex for the last time when it frees it: whoever holds it next may destroy it at once.
// - M5 It belongs to the party, not to the OS thread: a fiber may lock on one worker and unlock on another.
// - M6 One who is offered the lock and never runs holds nobody up for longer than some 4 ms (wait/warden.hpp).
// - M7 A bounded wait says false only after its deadline, and then leaves nothing behind: no lock, no lost wake.
// - M8 A coroutine whose frame is destroyed while it waits leaves the queue and passes its offer on.
// - M9 It has 8 bytes, is ready before any code runs, and can be neither copied nor moved.
// - M10 Unlocking a mutex that is not locked prints one line and aborts, in every build.
// - M11 So do, in checked builds, locking again, unlocking by a stranger, destroying it while held or waited on, and
//   a blocking lock() that has to wait in a coroutine.
// - M12 A waiter at an address of more than 48 bits, or with a tag in it, prints one line and aborts.
// Does not promise
// - Recursion: locking again by the holder waits for ever (named in checked builds).
// - Cancellation: lock() ignores stop requests. Survival of fork while another thread of the parent holds it or waits
//   for it: the child has no such thread. What the forking thread holds alone it may unlock in both.
// - Hand-over between threads in checked builds: what lock() took, the same party unlocks. What async_lock() took
//   may be unlocked anywhere.
class MORTISE_CAPABILITY("mutex") mutex {
  friend class lock_probe;          // tests: who waits
  friend class condition_variable;  // moves its waiters to our queue
  friend class conditions;          // likewise
  friend class lock_access;         // asio/: how else it is waited for
  friend class shm::door;           // shm/: where tasks wait for a lock between processes
  friend class local_turn;          // cluster/: likewise

 public:
  constexpr mutex() noexcept = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;
#if MORTISE_IS_CHECKED
  MORTISE_API ~mutex();
#else
  ~mutex() = default;
#endif

  // Waits until the caller holds the lock. Requires: the caller does not hold it. Blocks: the thread or
  // fiber; in a coroutine the worker goes on with other tasks, but async_lock() is meant for it. Cost: one
  // RMW when free.
  void lock() noexcept MORTISE_ACQUIRE() {
    noted_wait();
    if (try_fast()) [[likely]]
      return noted();
    lock_slow(never);
    noted();
  }

  // Takes the lock if it is free and nobody is waiting in earnest (1 ms). Never blocks, never fails
  // spuriously otherwise.
  [[nodiscard]] bool try_lock() noexcept MORTISE_TRY_ACQUIRE(true) {
    if (!try_fast() && !try_slow()) return false;
    noted();
    return true;
  }

  // Waits no longer than `d`; true: the caller holds the lock. A duration of zero or less tries once.
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> d) noexcept MORTISE_TRY_ACQUIRE(true) {
    if (!try_fast() && !lock_slow(deadline_after(d))) return false;
    noted();
    return true;
  }

  // Waits until the time point `t` of any clock at the latest. A clock that is set meanwhile is looked at
  // again.
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> t) noexcept
      MORTISE_TRY_ACQUIRE(true) {
    while (!try_fast() && !lock_slow(deadline_at(t))) {
      if (has_come(t)) return false;
    }
    noted();
    return true;
  }

  // Waits until the caller holds the lock, a stop is requested of `stop`, or `until` has come: exactly one of `acquired`, `stopped` and
  // `timed_out` is returned, and but for `acquired` nothing is left behind. A lock that is to be had at once is taken, also when
  // stop has been requested. Blocks: as lock().
  [[nodiscard]] outcome lock_or_stop(std::stop_token stop) noexcept {
    noted_wait();
    return bounded(wait::bound{std::move(stop)});
  }
  template <class Rep, class Period>
  [[nodiscard]] outcome lock_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d) noexcept {
    return bounded(wait::bound{std::move(stop), deadline_after(d)});
  }
  template <class Clock, class Duration>
  [[nodiscard]] outcome lock_or_stop(std::stop_token stop,
                                     std::chrono::time_point<Clock, Duration> t) noexcept {
    for (;;) {
      const outcome how = bounded(wait::bound{stop, deadline_at(t)});
      if (how != outcome::timed_out || has_come(t)) return how;
    }
  }

  // Frees the lock. Requires: it is locked, in checked builds by the caller. Never blocks; a thread that has gone on for a turn of
  // 0.1 ms while another one is on its way yields its core behind it. Cost, when nobody waits: two
  // loads and a store where restartable sequences are to be had (base/restartable.hpp), else one RMW.
  void unlock() noexcept MORTISE_RELEASE() {
    noted_release();
    if (!restartable::clear_byte(m_word, word::held)) [[unlikely]]  // O2
      unlock_slow();
  }

  class async_lock_operation;
  class async_bounded_lock_operation;
  class async_stoppable_lock_operation;

  // For coroutines: `auto hold = co_await m.async_lock();` gives a std::unique_lock, which may be unlocked on
  // any thread. A task of a runtime is resumed by its runtime, any other coroutine on `where` (null:
  // wait::default_executor()), and never inside an unlock. If the frame is destroyed while it waits, it
  // leaves the queue and passes its offer on. Allocates nothing in a task; for other coroutines a recycled
  // ticket when it has to wait.
  [[nodiscard]] async_lock_operation async_lock(wait::executor* where = nullptr,
                                                call_site site = call_site::current()) noexcept;

  // The same, no longer than `d` or until `t`: the std::unique_lock owns nothing where the deadline came first. A time point of a clock that is
  // set meanwhile is taken as the duration that it was when the wait began.
  template <class Rep, class Period>
  [[nodiscard]] async_bounded_lock_operation async_lock_for(std::chrono::duration<Rep, Period> d,
                                                            wait::executor* where = nullptr,
                                                            call_site site = call_site::current()) noexcept;
  template <class Clock, class Duration>
  [[nodiscard]] async_bounded_lock_operation async_lock_until(std::chrono::time_point<Clock, Duration> t,
                                                              wait::executor* where = nullptr,
                                                              call_site site = call_site::current()) noexcept;

  // `auto [how, hold] = co_await m.async_lock_or_stop(token);` as lock_or_stop does.
  [[nodiscard]] async_stoppable_lock_operation async_lock_or_stop(
      std::stop_token stop, wait::executor* where = nullptr, call_site site = call_site::current()) noexcept;
  template <class Rep, class Period>
  [[nodiscard]] async_stoppable_lock_operation async_lock_or_stop(
      std::stop_token stop, std::chrono::duration<Rep, Period> d, wait::executor* where = nullptr,
      call_site site = call_site::current()) noexcept;

 private:
  struct exclusive;
  template <class Limit>
  class async_limited;
  struct word {
    static constexpr std::uint64_t held = 1 << 0;         // byte 0: who may take it
    static constexpr std::uint64_t starving = 1 << 1;     //
    static constexpr std::uint64_t contended = 1 << 8;    // byte 1: what an unlock has to see to
    static constexpr std::uint64_t queue_lock = 1 << 9;   //
    static constexpr std::uint64_t told = 1 << 10;        //
    static constexpr std::uint64_t quiet_one = 1 << 11;   // counts up to
    static constexpr std::uint64_t quiet_most = 7 << 11;  // this
    static constexpr std::uint64_t second_byte = 0xff << 8;
    static constexpr std::uint64_t watched = 1 << 16;  // where the first waiter's address has zeros
    static constexpr unsigned head_shift = 16;         // bytes 2 to 7: the first waiter
    static constexpr std::uint64_t head = ~std::uint64_t{0} << 19;
  };

  bool try_fast() noexcept {
    return wait::spend_budget() && restartable::set_byte(m_word, word::held);  // O1
  }

  MORTISE_API bool try_slow() noexcept;
  MORTISE_API bool lock_slow(nanos deadline) noexcept;
  MORTISE_API outcome bounded_slow(const wait::bound& until) noexcept;
  outcome bounded(const wait::bound& until) noexcept {
    if (!try_fast()) {
      if (const outcome how = bounded_slow(until); how != outcome::acquired) return how;
    }
    noted();
    return outcome::acquired;
  }
  MORTISE_API void unlock_slow() noexcept;
  MORTISE_API bool suspend(wait::waiter& n, void* frame, bool native, wait::executor* where) noexcept;
  MORTISE_API bool resume(wait::waiter& n) noexcept;
  MORTISE_API void forget(wait::waiter& n) noexcept;

  // The parts of the slow paths, in mutex.cpp.
  static wait::waiter* head_of(std::uint64_t w) noexcept {
    return reinterpret_cast<wait::waiter*>((w & word::head) >> word::head_shift);
  }
  static std::uint64_t bits_of(const wait::waiter* head) noexcept {
    return reinterpret_cast<std::uint64_t>(head) << word::head_shift;
  }
  static bool obtainable(std::uint64_t w) noexcept { return (w & (word::held | word::starving)) == 0; }
  MORTISE_API bool take_or_queue(wait::waiter& n) noexcept;
  enum class otherwise : bool { keeps_its_offer, goes_to_sleep };
  MORTISE_API bool claim(wait::waiter& n, otherwise what = otherwise::goes_to_sleep) noexcept;
  static bool may_claim(const wait::waiter& head, const wait::waiter& n, std::uint64_t w) noexcept;
  MORTISE_API bool stand_by(wait::waiter& n, nanos deadline) noexcept;
  bool turn_is_over() const noexcept;
  MORTISE_API void leave(wait::waiter& n) noexcept;
  static std::uint64_t after_quiet_unlock(std::uint64_t w) noexcept;
  static std::uint64_t told_if(const wait::waiter& head) noexcept;
  std::uint64_t guard_offers(const wait::waiter& head, std::uint64_t flags) noexcept;
  bool try_queue_lock(std::uint64_t& w) noexcept;
  std::uint64_t take_queue_lock() noexcept;
  void release_queue_lock(std::uint64_t keep) noexcept;
  void enqueue(wait::waiter& n, wait::offer& next) noexcept;
  static void examine(void* self, wait::offer& next) noexcept;

#if MORTISE_IS_CHECKED
  MORTISE_API void noted_wait() noexcept;
  MORTISE_API void noted_async_wait() noexcept;
  MORTISE_API void noted() noexcept;
  MORTISE_API void noted_release() noexcept;
  MORTISE_API void noted_async(call_site site) noexcept;
  void check_wait() noexcept;
#else
  void noted_wait() noexcept {}
  void noted_async_wait() noexcept {}
  void noted() noexcept {}
  void noted_release() noexcept {}
  void noted_async(call_site) noexcept {}
  void check_wait() noexcept {}
#endif

  atomic<std::uint64_t> m_word{0};
};

static_assert(sizeof(mutex) == 8);

// What async_lock() returns; awaited at once, by one coroutine.
class mutex::async_lock_operation : wait::waiter {
 public:
  async_lock_operation(mutex& m, wait::executor* where, call_site site) noexcept
      : m_mutex{m}, m_where{where}, m_site{site} {
    step = [](waiter& n, request what) noexcept {
      mutex& owner = static_cast<async_lock_operation&>(n).m_mutex;
      if (what == request::claim && !owner.resume(n)) return false;
      if (what == request::leave && n.queued()) owner.leave(n);
      n.who = nullptr;  // its wait is over: the frame may go
      return true;
    };
  }
  async_lock_operation(const async_lock_operation&) = delete;
  async_lock_operation& operator=(const async_lock_operation&) = delete;
  ~async_lock_operation() {
    // Its parker knows this waiter, queued or not: a coroutine that gave way first is in no queue yet.
    if (who != nullptr) m_mutex.forget(*this);
  }

  bool await_ready() const noexcept { return m_mutex.try_fast(); }

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) noexcept {
    return m_mutex.suspend(*this, h.address(), wait::native_promise<Promise>, m_where);
  }

  [[nodiscard]] std::unique_lock<mutex> await_resume() const noexcept {
    m_mutex.noted_async(m_site);
    return std::unique_lock<mutex>{m_mutex, std::adopt_lock};
  }

 private:
  friend class mutex;
  mutex& m_mutex;
  wait::executor* m_where;
  [[no_unique_address]] call_site m_site;
};

inline mutex::async_lock_operation mutex::async_lock(wait::executor* where, call_site site) noexcept {
  noted_async_wait();
  return {*this, where, site};
}

// How mutexes are got by wait/waiting.hpp.
struct mutex::exclusive {
  mutex& m;
  wait::subject subject() const noexcept { return {&m, "mutex"}; }
  bool try_fast() const noexcept { return m.try_fast(); }
  bool take_or_queue(wait::waiter& n) const noexcept { return m.take_or_queue(n); }
  bool claim(wait::waiter& n) const noexcept {
    return n.who->runs_by_itself() ? m.stand_by(n, never) : m.claim(n);
  }
  void leave(wait::waiter& n) const noexcept { m.leave(n); }
};

// How a wait for a lock has ended, and the lock, which is owned if `how` is acquired, or owner_died (mutexes between processes).
template <class Hold>
struct [[nodiscard]] lock_result {
  outcome how;
  Hold hold;
  explicit operator bool() const noexcept { return how == outcome::acquired || how == outcome::owner_died; }
};

// A coroutine's wait that may end without the lock.
template <class Limit>
class mutex::async_limited : public wait::async_wait<mutex::exclusive, Limit> {
 public:
  async_limited(mutex& m, wait::executor* where, wait::bound until, call_site site) noexcept
      : wait::async_wait<mutex::exclusive, Limit>{exclusive{m}, where, std::move(until)}, m_site{site} {}

 protected:
  lock_result<std::unique_lock<mutex>> had() noexcept {
    mutex& m = this->lock_to_get().m;
    const outcome how = this->result();
    if (how != outcome::acquired) return {how, std::unique_lock{m, std::defer_lock}};
    m.noted_async(m_site);
    return {how, std::unique_lock{m, std::adopt_lock}};
  }

 private:
  [[no_unique_address]] call_site m_site;
};

class mutex::async_stoppable_lock_operation : public async_limited<wait::limit> {
 public:
  using async_limited::async_limited;
  lock_result<std::unique_lock<mutex>> await_resume() noexcept { return had(); }
};

class mutex::async_bounded_lock_operation : public async_limited<wait::time_limit> {
 public:
  using async_limited::async_limited;
  [[nodiscard]] std::unique_lock<mutex> await_resume() noexcept { return had().hold; }
};

template <class Rep, class Period>
mutex::async_bounded_lock_operation mutex::async_lock_for(std::chrono::duration<Rep, Period> d,
                                                          wait::executor* where, call_site site) noexcept {
  return {*this, where, wait::bound::within(d), site};
}
template <class Clock, class Duration>
mutex::async_bounded_lock_operation mutex::async_lock_until(std::chrono::time_point<Clock, Duration> t,
                                                            wait::executor* where, call_site site) noexcept {
  return {*this, where, wait::bound{deadline_at(t)}, site};
}
inline mutex::async_stoppable_lock_operation mutex::async_lock_or_stop(std::stop_token stop,
                                                                       wait::executor* where,
                                                                       call_site site) noexcept {
  noted_async_wait();
  return {*this, where, wait::bound{std::move(stop)}, site};
}
template <class Rep, class Period>
mutex::async_stoppable_lock_operation mutex::async_lock_or_stop(std::stop_token stop,
                                                                std::chrono::duration<Rep, Period> d,
                                                                wait::executor* where,
                                                                call_site site) noexcept {
  return {*this, where, wait::bound::within(d, std::move(stop)), site};
}

// std::lock_guard with the annotations that Clang's thread safety analysis needs.
class MORTISE_SCOPED_CAPABILITY scoped_hold {
 public:
  explicit scoped_hold(mutex& m) noexcept MORTISE_ACQUIRE(m) : m_mutex{m} { m.lock(); }
  ~scoped_hold() MORTISE_RELEASE() { m_mutex.unlock(); }
  scoped_hold(const scoped_hold&) = delete;
  scoped_hold& operator=(const scoped_hold&) = delete;

 private:
  mutex& m_mutex;
};

}  // namespace mortise::inline MORTISE_ABI
