#pragma once

// Locks that are wrong on purpose: for each promise one that breaks it, so that the test of that promise can be seen to fail
// (broken_test.cpp). They stand in the suite's lists of types, and run only when they are asked for by name.

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <thread>

#include <mortise/wait/context.hpp>

#include "locks.hpp"

namespace conformance {
namespace broken {

// Keeps nobody out.
class open_door {
 public:
  constexpr open_door() noexcept = default;
  open_door(const open_door&) = delete;
  open_door& operator=(const open_door&) = delete;
  void lock() noexcept {}
  bool try_lock() noexcept { return true; }
  void unlock() noexcept {}
};

// Its try_lock waits.
class patient : public std::mutex {
 public:
  bool try_lock() {
    lock();
    return true;
  }
};

// Looks at itself once more when it has been freed.
class late_touch {
 public:
  void lock() noexcept {
    while (!try_lock()) std::this_thread::yield();
  }
  bool try_lock() noexcept { return !m_held.exchange(true, std::memory_order_acquire); }
  void unlock() noexcept {
    m_held.store(false, std::memory_order_release);
    for (int i = 0; i < 50; ++i) {
      std::this_thread::yield();
      m_seen.fetch_add(1, std::memory_order_relaxed);
    }
  }

 private:
  std::atomic<bool> m_held{false};
  std::atomic<int> m_seen{0};
};

// Belongs to the OS thread that took it: another one's unlock is refused, and ignored.
class thread_bound {
 public:
  thread_bound() {
    pthread_mutexattr_t checks;
    pthread_mutexattr_init(&checks);
    pthread_mutexattr_settype(&checks, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&m_mutex, &checks);
  }
  ~thread_bound() { pthread_mutex_destroy(&m_mutex); }
  void lock() {
    while (!try_lock()) mortise::yield();  // so that a fiber does not block its worker
  }
  bool try_lock() { return pthread_mutex_trylock(&m_mutex) == 0; }
  void unlock() { pthread_mutex_unlock(&m_mutex); }

 private:
  pthread_mutex_t m_mutex;
};

// Belongs to the process that used it first.
class process_bound : public std::mutex {
 public:
  void lock() {
    while (!try_lock()) std::this_thread::yield();
  }
  bool try_lock() {
    if (m_owner == 0) m_owner = ::getpid();
    return m_owner == ::getpid() && std::mutex::try_lock();
  }

 private:
  pid_t m_owner = 0;
};

// Is of no use once it has been destroyed, as a global at the end of the program.
class mortal : public std::mutex {
 public:
  ~mortal() { m_dead = true; }
  void lock() {
    if (m_dead) std::abort();
    std::mutex::lock();
  }

 private:
  volatile bool m_dead = false;
};

// Waits half as long as it was told, and a sum that wraps around for nothing.
class hasty : public std::timed_mutex {
 public:
  template <class Rep, class Period>
  bool try_lock_for(std::chrono::duration<Rep, Period> d) {
    using period = std::ratio_divide<Period, std::nano>;
    const auto nanos =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(d.count()) * period::num / period::den);
    if (nanos < 0 || nanos > std::int64_t{1} << 60) return try_lock();
    return std::timed_mutex::try_lock_for(std::chrono::nanoseconds(nanos / 2));
  }
  template <class Clock, class Duration>
  bool try_lock_until(std::chrono::time_point<Clock, Duration> t) {
    return try_lock_for(t - Clock::now());
  }
};

// Reads a clock that is not the steady one only once.
class trusting : public std::timed_mutex {
 public:
  template <class Clock, class Duration>
  bool try_lock_until(std::chrono::time_point<Clock, Duration> t) {
    return try_lock_for(t - Clock::now());
  }
};

// A queue of parties that park in their contexts, right but for one fault.
enum class fault {
  none,
  deaf_to_fibers,
  counts_in_a_byte,
  last_come_first_served,
  stays_queued,
  leaks_to_the_late
};

template <fault Fault>
class parking {
  struct waiter {
    mortise::wait::parker* who;
    bool granted = false;
  };

 public:
  void lock() { wait_until(mortise::never); }
  bool try_lock() { return wait_until(0); }
  template <class Rep, class Period>
  bool try_lock_for(std::chrono::duration<Rep, Period> d) {
    return wait_until(mortise::deadline_after(d));
  }
  template <class Clock, class Duration>
  bool try_lock_until(std::chrono::time_point<Clock, Duration> t) {
    while (!wait_until(mortise::deadline_at(t))) {
      if (Clock::now() >= t) return false;
    }
    return true;
  }
  void unlock() {
    mortise::wait::parker* next = nullptr;
    {
      const std::lock_guard hold{m_guard};
      if (m_queue.empty() || (Fault == fault::counts_in_a_byte && m_waiting == 0)) {
        m_held = false;
      } else {
        waiter* const w = Fault == fault::last_come_first_served ? m_queue.back() : m_queue.front();
        take_out(w);
        w->granted = true;
        next = w->who;
      }
    }
    if (next == nullptr || (Fault == fault::deaf_to_fibers && !next->runs_by_itself())) return;
    next->unpark();
  }
  unsigned waiters() {
    const std::lock_guard hold{m_guard};
    return static_cast<unsigned>(m_queue.size());
  }

 private:
  bool wait_until(mortise::nanos deadline) {
    waiter me{&mortise::wait::this_context().self()};
    std::unique_lock hold{m_guard};
    if (!std::exchange(m_held, true)) return true;
    if (mortise::now_ns() >= deadline) return false;
    m_queue.push_back(&me);
    ++m_waiting;
    while (!me.granted && mortise::now_ns() < deadline) {
      hold.unlock();
      mortise::wait::this_context().park(deadline);
      hold.lock();
    }
    if (me.granted) return true;
    if (Fault == fault::stays_queued) return false;
    if (Fault == fault::leaks_to_the_late) {
      hold.unlock();
      mortise::yield();
      hold.lock();
      if (me.granted) return false;
    }
    take_out(&me);
    return false;
  }
  void take_out(waiter* w) {
    m_queue.erase(std::find(m_queue.begin(), m_queue.end(), w));
    --m_waiting;
  }

  std::mutex m_guard;
  bool m_held = false;
  std::deque<waiter*> m_queue;
  unsigned char m_waiting = 0;
};

}  // namespace broken

// ---- and what they pretend to promise

struct no_exclusion : promises_of_a_thread_lock {
  using lock = broken::open_door;
  static constexpr const char* name = "broken_no_exclusion";
};
struct try_lock_waits : promises_of_a_thread_lock {
  using lock = broken::patient;
  static constexpr const char* name = "broken_try_lock_waits";
};
struct touches_after_release : promises_of_a_thread_lock {
  using lock = broken::late_touch;
  static constexpr const char* name = "broken_touches_after_release";
};
struct belongs_to_its_thread : promises_of_a_thread_lock {
  using lock = broken::thread_bound;
  static constexpr const char* name = "broken_belongs_to_its_thread";
  static constexpr bool constant = false;
  static constexpr bool suspends = true;
};
struct belongs_to_its_process : promises_of_a_thread_lock {
  using lock = broken::process_bound;
  static constexpr const char* name = "broken_belongs_to_its_process";
};
struct ends_with_its_destructor : promises_of_a_thread_lock {
  using lock = broken::mortal;
  static constexpr const char* name = "broken_ends_with_its_destructor";
};
struct gives_up_early : promises_of_a_thread_lock {
  using lock = broken::hasty;
  static constexpr const char* name = "broken_gives_up_early";
  static constexpr bool timed = true;
};
struct trusts_a_clock : promises_of_a_thread_lock {
  using lock = broken::trusting;
  static constexpr const char* name = "broken_trusts_a_clock";
  static constexpr bool timed = true;
};
struct keeps_it_after_a_throw : promises_of_a_thread_lock {
  using lock = std::mutex;
  static constexpr const char* name = "broken_keeps_it_after_a_throw";
  template <class F>
  static void section(lock& m, F&& f) {
    m.lock();
    f();
    m.unlock();
  }
};

template <broken::fault Fault>
struct parking_promises : promises_of_a_thread_lock {
  using lock = broken::parking<Fault>;
  static constexpr bool timed = true;
  static constexpr bool constant = false;
  static constexpr bool any_memory = false;  // its own guard is touched last
  static constexpr bool suspends = true;
  static constexpr bool in_order = true;
  static constexpr bool waiters_known = true;
  static unsigned waiters(lock& m) { return m.waiters(); }
};
struct deaf_to_fibers : parking_promises<broken::fault::deaf_to_fibers> {
  static constexpr const char* name = "broken_deaf_to_fibers";
};
struct counts_in_a_byte : parking_promises<broken::fault::counts_in_a_byte> {
  static constexpr const char* name = "broken_counts_in_a_byte";
};
struct last_come_first_served : parking_promises<broken::fault::last_come_first_served> {
  static constexpr const char* name = "broken_last_come_first_served";
};
struct stays_queued : parking_promises<broken::fault::stays_queued> {
  static constexpr const char* name = "broken_stays_queued";
};
struct leaks_to_the_late : parking_promises<broken::fault::leaks_to_the_late> {
  static constexpr const char* name = "broken_leaks_to_the_late";
};
struct faultless : parking_promises<broken::fault::none> {  // passes what the others of its kind fail
  static constexpr const char* name = "broken_not";
};

}  // namespace conformance
