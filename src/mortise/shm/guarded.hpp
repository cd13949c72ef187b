#pragma once

// mortise::shm::guarded<T>: a value that processes share, and that a killed one leaves whole.
//
//     mortise::shm::guarded<counters> state{mortise::shm::place::anonymous()};  // or {"counters"}: for all of this user
//     state.update([](counters& c) { ++c.jobs; });                  // all or nothing, wherever this process is killed
//     const auto jobs = state.read([](const counters& c) { return c.jobs; });
//
// (examples/processes.cpp)

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/outcome.hpp>
#include <mortise/lock/guarded_result.hpp>
#include <mortise/shm/error.hpp>
#include <mortise/shm/guarded_result.hpp>
#include <mortise/shm/mutex.hpp>
#include <mortise/shm/place.hpp>
#include <mortise/shm/region.hpp>
#include <mortise/shm/shareable.hpp>
#include <mortise/shm/two_copies.hpp>
#include <mortise/shm/type_name.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// A handle to a T in a region of shared memory, and to the lock that guards it.
//
// Promises (docs/proof.md tells what holds each)
// - SG1 update is all or nothing: after a closure that throws, or a process that ends in whatever way at whatever instruction, the value is
//   the old one or the new one, and never a mix.
// - SG2 Updates come one at a time, from all processes and parties, and each begins with what the one before left.
// - SG3 read sees what one update left, whole. Up to 256 bytes it takes no lock as long as writers are not quicker than it, and so goes on while
//   a holder is stopped.
// - SG4 Closures run once, on the caller, and may throw: the lock is freed.
// - SG5 The news that a process died in its section is kept until a closure with a `tenure`, or an outcome, has told of it.
// - SG6 Types that hold addresses are refused, and so are closures that return references, pointers and views: at compile time, as far as
//   the type shows it.
// - SG7 A child that was forked inside an update's closure and returns from it there changes nothing: the update throws error.
// - SG8 Whatever a peer has written into the region, the value is found within it; another type's region is refused.
// Does not promise that a value outlives the machine, nor that it fits what is outside of it; nor recursion: a closure that updates the
// same value waits for itself, or ends the program. A holder that is stopped (SIGSTOP, a debugger) keeps the lock.
// Requires: whoever has the region is trusted (docs/failure-modes.md). The handle outlives all calls on it.
// Blocks: as mutex::lock. Cost: an update the lock and two copies of T; a read up to 256 bytes a copy, else the lock.
// Throws: what the closures and mutex::lock throw.
template <class T>
class guarded {
  static_assert((check_shareable<T>(), true));  // says what is wrong with T

 public:
  using value_type = T;
  using mutex_type = shm::mutex;

  // Opens the region, or makes it with T{} in it, or `initial`, where there is none. Throws: error, where something else lies there (another
  // type, size, owner, ...); std::system_error.
  explicit guarded(const place& where) : guarded{where, &make_default, nullptr} {}
  guarded(const place& where, const T& initial)
      : guarded{where, &make, const_cast<T*>(std::addressof(initial))} {}
  guarded(const guarded&) = delete;
  guarded& operator=(const guarded&) = delete;

  // Calls f(const T&) and returns what it returns. Up to 256 bytes f has a copy and runs without the lock; beyond, it runs under the lock,
  // on the value in place, which a child that is forked in it must not look at.
  template <class F>
  auto read(F&& f) const {
    if constexpr (copied) {
      return run_read(f, value());
    } else {
      m_mutex.lock();
      const holding hold{m_mutex, std::adopt_lock};
      keep_news();
      return run_read(f, m_value->latest());
    }
  }

  // Calls f(T&), or f(T&, const tenure&), on a private copy of the value (on the caller's stack up to 16 KiB) and makes that the value
  // when f has returned: if f throws, the old value stands. Returns what f returns.
  template <class F>
  auto update(F&& f) {
    m_mutex.lock();
    const holding hold{m_mutex, std::adopt_lock};
    return run_update(f);
  }

  // The same within a bound; a bounded_result tells: `timed_out` or `stopped`, the closure has not run. try_update blocks as mutex::try_lock.
  template <class F>
  auto try_update(F&& f) {
    return bounded<result_of<F>>(at_once(m_mutex.try_lock()), [&] { return run_update(f); });
  }
  template <class Rep, class Period, class F>
  auto try_update_for(std::chrono::duration<Rep, Period> d, F&& f) {
    return bounded<result_of<F>>(at_once(m_mutex.try_lock_for(d)), [&] { return run_update(f); });
  }
  template <class Clock, class Duration, class F>
  auto try_update_until(std::chrono::time_point<Clock, Duration> t, F&& f) {
    return bounded<result_of<F>>(at_once(m_mutex.try_lock_until(t)), [&] { return run_update(f); });
  }
  template <class F>
  auto update_or_stop(std::stop_token stop, F&& f) {
    return bounded<result_of<F>>(m_mutex.lock_or_stop(std::move(stop)), [&] { return run_update(f); });
  }
  template <class Rep, class Period, class F>
  auto update_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d, F&& f) {
    return bounded<result_of<F>>(m_mutex.lock_or_stop(std::move(stop), d), [&] { return run_update(f); });
  }

  // For coroutines: the same, awaited. The closure is kept in the coroutine's frame and runs before it goes on.
  template <class F>
  auto async_read(F f) const {
    return async_read_operation<decltype(m_mutex.async_lock()), F>{*this, std::move(f), m_mutex.async_lock()};
  }
  template <class F>
  auto async_update(F f) {
    return async_update_operation<decltype(m_mutex.async_lock()), F>{*this, std::move(f),
                                                                     m_mutex.async_lock()};
  }

  // The region, to pass its descriptor on or to look at it.
  region& where() const noexcept { return m_mutex.where(); }

 private:
  static constexpr bool copied = two_copies<T>::is_read_without_lock;
  static constexpr std::size_t most_on_stack = 16 * 1024;
  using holding = std::unique_lock<mutex_type>;
  static_assert(alignof(two_copies<T>) <= 4096, "shared memory is aligned to 4096 bytes");

  static content contents() noexcept {
    return {type_name<T>, type_hash<T>, sizeof(two_copies<T>), alignof(two_copies<T>)};
  }
  static void make(void* payload, void* initial) {
    ::new (payload) two_copies<T>{*static_cast<const T*>(initial)};
  }
  static void make_default(void* payload, void*) {
    if constexpr (sizeof(T) <= most_on_stack) {
      ::new (payload) two_copies<T>{T{}};
    } else {
      ::new (payload) two_copies<T>{*std::make_unique<T>()};
    }
  }
  guarded(const place& where, void (*maker)(void*, void*), void* argument)
      : m_mutex{where, contents(), maker, argument},
        m_value{std::launder(static_cast<two_copies<T>*>(m_mutex.where().payload()))} {}

  template <class F>
  static decltype(auto) call(F& f, T& copy, const tenure& now) {
    if constexpr (std::is_invocable_v<F&, T&, const tenure&>) {
      return std::invoke(f, copy, now);
    } else {
      return std::invoke(f, copy);
    }
  }
  template <class F>
  using result_of = std::decay_t<decltype(call(std::declval<std::remove_reference_t<F>&>(),
                                               std::declval<T&>(), std::declval<const tenure&>()))>;

  // Of a T that is read by copying.
  T value() const {
    if (std::optional<T> seen = m_value->try_read()) return *seen;
    m_mutex.lock();
    const holding hold{m_mutex, std::adopt_lock};
    keep_news();
    return m_value->latest();
  }

  template <class F>
  static auto run_read(F& f, const T& seen) {
    mortise::detail::check_result<std::invoke_result_t<F&, const T&>, T>();
    return std::invoke(f, seen);
  }

  // Under the lock.
  template <class F>
  auto run_update(F& f) {
    mortise::detail::check_result<decltype(call(f, std::declval<T&>(), std::declval<const tenure&>())), T>();
    keep_news();
    if constexpr (sizeof(T) <= most_on_stack) {
      T copy(m_value->latest());
      return change(copy, f);
    } else {
      const auto copy = std::make_unique<T>(m_value->latest());
      return change(*copy, f);
    }
  }

  template <class F>
  auto change(T& copy, F& f) {
    const tenure now{m_mutex.token(), m_mutex.owner_died()};
    const participant_id me = m_mutex.where().members().me_if_joined();
    if constexpr (std::is_invocable_v<F&, T&, const tenure&>) news_told();
    if constexpr (std::is_void_v<result_of<F>>) {
      call(f, copy, now);
      commit(copy, me);
    } else {
      // By value, so that it is complete before the change is: if making it throws, the old value stands.
      result_of<F> r = call(f, copy, now);
      commit(copy, me);
      return r;
    }
  }

  // `me`: who took the lock. A forked child is another participant; that its process holds the lock it could think of another thread's, too.
  void commit(const T& copy, participant_id me) {
    if (m_mutex.where().members().me_if_joined() != me) [[unlikely]]
      throw error{"an update of shared memory '" + where().name() +
                  "' forked in its closure and has returned in the child, where nothing is changed"};
    m_value->commit(copy);
  }

  // Under the lock: whoever died is still to be told of. Before a closure runs, or is copied for: a throw loses nothing.
  // relaxed, both: the lock orders it
  void keep_news() const noexcept {
    if (m_mutex.owner_died()) [[unlikely]]
      m_mutex.where().lock().died.store(1, memory_order_relaxed);
  }
  // By a closure's tenure, as it begins; by an outcome, when nothing is left that could throw. A kill from here on is this section's own death.
  void news_told() const noexcept {
    if (m_mutex.owner_died()) [[unlikely]]
      m_mutex.where().lock().died.store(0, memory_order_relaxed);
  }

  outcome at_once(bool locked) const noexcept {
    if (!locked) return outcome::timed_out;
    return m_mutex.owner_died() ? outcome::owner_died : outcome::acquired;
  }

  template <class R, class Section>
  bounded_result<R> bounded(outcome how, Section section) const {
    bounded_result<R> result{.how = how};
    if (!result) return result;
    const holding hold{m_mutex, std::adopt_lock};
    if constexpr (std::is_void_v<R>) {
      section();
    } else {
      result.value.emplace(section());
    }
    news_told();
    return result;
  }

  template <class Lock, class F>
  struct [[nodiscard]] async_update_operation {
    guarded& g;
    F f;
    Lock lock;
    bool await_ready() { return lock.await_ready(); }
    template <class Promise>
    auto await_suspend(std::coroutine_handle<Promise> h) {
      return lock.await_suspend(h);
    }
    auto await_resume() {
      const auto hold = lock.await_resume();
      return g.run_update(f);
    }
  };

  template <class Lock, class F>
  struct [[nodiscard]] async_read_operation {
    const guarded& g;
    F f;
    Lock lock;
    std::optional<T> seen{};
    bool await_ready() {
      if constexpr (copied) seen = g.m_value->try_read();
      return seen || lock.await_ready();
    }
    template <class Promise>
    auto await_suspend(std::coroutine_handle<Promise> h) {
      return lock.await_suspend(h);
    }
    auto await_resume() {
      if (!seen) {
        const auto hold = lock.await_resume();
        g.keep_news();
        if constexpr (!copied)
          return run_read(f, g.m_value->latest());
        else
          seen.emplace(g.m_value->latest());
      }
      return run_read(f, *seen);
    }
  };

  mutable mutex_type m_mutex;
  two_copies<T>* const m_value;
};

}  // namespace mortise::inline MORTISE_ABI::shm
