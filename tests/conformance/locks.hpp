#pragma once

// Every lock type that the suite runs over, and what each of them promises.
//
// A lock joins by one struct like those below and its name in `all_locks`. `lock` is default constructible; one that needs
// more (a region, a store) is wrapped in a class that brings it. What a traits struct does not promise is not asked of it.

#include <gtest/gtest.h>

#include <coroutine>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <tuple>
#include <utility>

#include <mortise/base/sanitizers.hpp>
#include <mortise/mortise.hpp>
#include <support/family_probe.hpp>
#include <support/lock_probe.hpp>

namespace conformance {

// Whether fibers of Boost.Fiber are among them: where it is installed. ThreadSanitizer does not know its switches.
#define MORTISE_BOOST_FIBER (MORTISE_HAS_BOOST_FIBER && !MORTISE_TSAN)

// Who may come to a lock.
enum class kind { thread, fiber, task, foreign_coroutine, foreign_context, boost_fiber };
#if MORTISE_BOOST_FIBER
inline constexpr kind all_kinds[] = {
    kind::thread, kind::fiber, kind::task, kind::foreign_coroutine, kind::foreign_context, kind::boost_fiber};
inline constexpr kind blocking_kinds[] = {kind::thread, kind::fiber, kind::foreign_context,
                                          kind::boost_fiber};
#else
inline constexpr kind all_kinds[] = {kind::thread, kind::fiber, kind::task, kind::foreign_coroutine,
                                     kind::foreign_context};
inline constexpr kind blocking_kinds[] = {kind::thread, kind::fiber, kind::foreign_context};
#endif
constexpr const char* name_of(kind k) {
  switch (k) {
    case kind::thread: return "thread";
    case kind::fiber: return "fiber";
    case kind::task: return "task";
    case kind::foreign_coroutine: return "foreign coroutine";
    case kind::foreign_context: return "foreign context";
    case kind::boost_fiber: return "fiber of Boost";
  }
  return "";
}

// What is asked of a lock unless its traits say otherwise: a lock of OS threads.
struct promises_of_a_thread_lock {
  static constexpr bool lockable = true;       // lock, try_lock, unlock
  static constexpr bool timed = false;         // try_lock_for, try_lock_until
  static constexpr bool far_deadlines = true;  // deadlines that do not fit into the clock's count
  static constexpr bool constant = true;       // constexpr constructor: no initialisation at run time
  static constexpr bool any_memory = true;     // may live anywhere, and be freed by its next holder
  static constexpr bool suspends =
      false;  // fibers of any library wait by suspending, and unlock on any thread
  static constexpr bool asynchronous = false;   // co_await: tasks and foreign coroutines
  static constexpr bool in_order = false;       // first come first served for those who have waited for 1 ms
  static constexpr bool waiters_known = false;  // `waiters(lock)` says how many wait
  static constexpr bool inherited_held = true;  // what the forking thread holds it may unlock in the child

  // Runs `f` under the lock, for those who wait by blocking.
  template <class Lock, class F>
  static void section(Lock& m, F&& f) {
    const std::lock_guard hold{m};
    f();
  }
};

struct std_mutex : promises_of_a_thread_lock {  // the control
  using lock = std::mutex;
  static constexpr const char* name = "std_mutex";
};

struct std_timed_mutex : promises_of_a_thread_lock {  // the control for deadlines
  using lock = std::timed_mutex;
  static constexpr const char* name = "std_timed_mutex";
  static constexpr bool timed = true;
  static constexpr bool far_deadlines = false;  // libstdc++ adds them up in a signed integer
};

struct mortise_mutex : promises_of_a_thread_lock {
  using lock = mortise::mutex;
  static constexpr const char* name = "mortise_mutex";
  static constexpr bool timed = true;
  static constexpr bool suspends = true;
  static constexpr bool asynchronous = true;
  static constexpr bool in_order = true;
  static constexpr bool waiters_known = true;

  static unsigned waiters(lock& m) { return mortise::lock_probe::waiters(m); }
  // Awaited, gives something that holds the lock while it lives. Foreign coroutines are resumed on `where`.
  static auto async_hold(lock& m, mortise::wait::executor* where) { return m.async_lock(where); }
};

struct mortise_guarded : promises_of_a_thread_lock {
  using lock = mortise::guarded<int>;
  static constexpr const char* name = "mortise_guarded";
  static constexpr bool lockable = false;
  static constexpr bool constant = false;
  static constexpr bool suspends = true;
  static constexpr bool asynchronous = true;
  static constexpr bool in_order = true;
  static constexpr bool waiters_known = true;

  static unsigned waiters(lock& m) { return mortise::lock_probe::waiters(m); }
  static auto async_hold(lock& m, mortise::wait::executor*) { return m.async_lock(); }
  template <class F>
  static void section(lock& m, F&& f) {
    m.with([&](int&) { f(); });
  }
};

struct std_shared_timed_mutex : promises_of_a_thread_lock {  // the control of those that can be shared
  using lock = std::shared_timed_mutex;
  static constexpr const char* name = "std_shared_timed_mutex";
  static constexpr bool timed = !MORTISE_TSAN;  // which does not know pthread_rwlock_clockwrlock
  static constexpr bool far_deadlines = false;
  static constexpr bool constant = false;
  static constexpr bool inherited_held = false;  // glibc's belongs to the thread's number in the parent
};

// Not shared: its writers.
struct mortise_shared_mutex : mortise_mutex {
  using lock = mortise::shared_mutex;
  static constexpr const char* name = "mortise_shared_mutex";

  static unsigned waiters(lock& m) { return mortise::family_probe::waiters(m); }
  static auto async_hold(lock& m, mortise::wait::executor* where) { return m.async_lock(where); }
};

// The same where its readers are counted in slots.
struct lock_with_slots : mortise::shared_mutex {
  lock_with_slots() { mortise::family_probe::give_slots(*this); }
};
struct mortise_shared_mutex_with_slots : mortise_shared_mutex {
  using lock = lock_with_slots;
  static constexpr const char* name = "mortise_shared_mutex_with_slots";
  static constexpr bool constant = false;
};

// One permit is a lock.
class lock_of_one_permit {
 public:
  void lock() noexcept { permit.acquire(); }
  void unlock() noexcept { permit.release(); }
  [[nodiscard]] bool try_lock() noexcept { return permit.try_acquire(); }
  [[nodiscard]] bool try_lock_for(auto d) noexcept { return permit.try_acquire_for(d); }
  [[nodiscard]] bool try_lock_until(auto t) noexcept { return permit.try_acquire_until(t); }
  mortise::binary_semaphore permit{1};
};
struct mortise_semaphore : mortise_mutex {
  using lock = lock_of_one_permit;
  static constexpr const char* name = "mortise_semaphore";

  static unsigned waiters(lock& m) { return mortise::family_probe::waiters(m.permit); }
  class hold_operation {
   public:
    hold_operation(lock& m, mortise::wait::executor* where)
        : m_lock{m}, m_permit{m.permit.async_acquire(where)} {}
    bool await_ready() noexcept { return m_permit.await_ready(); }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> h) noexcept {
      return m_permit.await_suspend(h);
    }
    auto await_resume() noexcept { return std::unique_lock{m_lock, std::adopt_lock}; }

   private:
    lock& m_lock;
    decltype(std::declval<mortise::binary_semaphore&>().async_acquire()) m_permit;
  };
  static auto async_hold(lock& m, mortise::wait::executor* where) { return hold_operation{m, where}; }
};

using all_locks =
    std::tuple<std_mutex, std_timed_mutex, std_shared_timed_mutex, mortise_mutex, mortise_guarded,
               mortise_shared_mutex, mortise_shared_mutex_with_slots, mortise_semaphore>;

// ---- lists for TYPED_TEST_SUITE

// Those of `all_locks` and of `Broken` for which Wanted::of<traits> holds. Broken ones are there to be found out
// (broken_locks.hpp); they run only when they are asked for by name.
template <class Wanted, class... Broken>
class list_of {
  template <class T>
  using or_none = std::conditional_t<Wanted::template of<T>, std::tuple<T>, std::tuple<>>;
  template <class... T>
  static auto pick(std::tuple<T...>*) -> decltype(std::tuple_cat(or_none<T>{}...));
  template <class... T>
  static testing::Types<T...> as_types(std::tuple<T...>*);
  template <class T>
  static T* pointer();

 public:
  using found = decltype(pick(pointer<decltype(std::tuple_cat(all_locks{}, std::tuple<Broken...>{}))>()));
  using types = decltype(as_types(pointer<found>()));
};

struct any {
  template <class T>
  static constexpr bool of = true;
};
struct lockable {
  template <class T>
  static constexpr bool of = T::lockable;
};
struct timed {
  template <class T>
  static constexpr bool of = T::timed;
};
struct constant {
  template <class T>
  static constexpr bool of = T::constant;
};
struct freed_at_once {
  template <class T>
  static constexpr bool of = T::any_memory;
};
struct suspending {
  template <class T>
  static constexpr bool of = T::suspends;
};
struct ordered {
  template <class T>
  static constexpr bool of = T::in_order;
};

struct lock_names {
  template <class T>
  static std::string GetName(int) {
    return T::name;
  }
};

template <class Traits>
constexpr bool serves(kind k) {
  switch (k) {
    case kind::thread: return true;
    case kind::fiber:
    case kind::foreign_context:
    case kind::boost_fiber: return Traits::suspends;
    case kind::task:
    case kind::foreign_coroutine: return Traits::asynchronous;
  }
  return false;
}

// ---- waiting for states

// Until `n` parties wait for `m`. Where that cannot be seen, a moment in which they probably come to it: then a test finds
// less, but never something that is not there.
template <class Traits>
void await_waiters(typename Traits::lock& m, unsigned n) {
  if constexpr (Traits::waiters_known) {
    while (Traits::waiters(m) != n) std::this_thread::yield();
  } else {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace conformance
