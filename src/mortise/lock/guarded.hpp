#pragma once

// mortise::guarded<T>: a value that can only be reached under its lock.
//
//     mortise::guarded<std::map<int, int>> state;
//     int v = state.read([](const auto& m) { return m.at(3); });   // a consistent look
//     state.update([](auto& m) { m[3] = 7; });                     // all or nothing
//     state.with([](auto& m) { m[3] = 7; });                       // in place
//     co_await state.async_with([](auto& m) { m[3] = 7; });        // from a coroutine
//
// (examples/seed_guarded.cpp)

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/lock/guarded_result.hpp>
#include <mortise/lock/mutex.hpp>

namespace mortise::inline MORTISE_ABI {

// Owns a T and the lock that guards it.
//
// Promises
// - G1 The value is touched only under the lock.
// - G2 Closures run once, on the caller, and may throw: the lock is freed.
// - G3 update is all or nothing: if its closure throws, the old value stands.
// - G4 References, pointers and views into the value cannot be returned from closures (compile-time error where the
//   type shows it).
// Does not promise that a closure does not leak a reference by other means; nor recursion: a closure that uses the
// same guarded waits for itself. Requires: Mutex is Lockable; for the async_ forms it has async_lock().
template <class T, class Mutex = mutex>
class guarded {
  friend class lock_probe;   // tests: who waits
  friend class lock_access;  // asio/: how else it is waited for
  static_assert(std::is_object_v<T> && !std::is_const_v<T>, "guarded<T> holds a modifiable object");

 public:
  using value_type = T;
  using mutex_type = Mutex;

  guarded() = default;
  template <class... Args>
    requires(sizeof...(Args) > 0 && std::is_constructible_v<T, Args && ...>)
  explicit guarded(Args&&... args) : m_value(std::forward<Args>(args)...) {}
  guarded(const guarded&) = delete;
  guarded& operator=(const guarded&) = delete;

  // Calls f(const T&) under the lock and returns what it returns. Blocks: as Mutex::lock. Throws: what f
  // throws.
  template <class F>
  auto read(F&& f) const {
    const std::lock_guard hold{m_mutex};
    return run_read(f);
  }

  // Calls f(T&) on a copy of the value and puts it in place when f has returned: if f throws, the old value
  // stands. Cost: a copy of T under the lock, O(size). Requires: T is copyable and nothrow movable.
  template <class F>
  auto update(F&& f) {
    const std::lock_guard hold{m_mutex};
    return run_update(f);
  }

  // Calls f(T&) on the value itself under the lock. If f throws, what it did so far stands.
  template <class F>
  auto with(F&& f) {
    const std::lock_guard hold{m_mutex};
    return run_with(f);
  }

  // Holds the lock while it lives; * and -> reach the value.
  class [[nodiscard]] guard {
   public:
    guard() = default;  // holds nothing, and reaches nothing
    T& operator*() const noexcept { return *m_value; }
    T* operator->() const noexcept { return m_value; }
    void unlock() {
      m_hold.unlock();
      m_value = nullptr;
    }

   private:
    friend guarded;
    friend class lock_access;
    guard(std::unique_lock<Mutex> hold, T& value) noexcept
        : m_hold{std::move(hold)}, m_value{std::addressof(value)} {}
    std::unique_lock<Mutex> m_hold;
    T* m_value = nullptr;
  };

  // Blocks: as Mutex::lock.
  guard lock() { return guard{std::unique_lock{m_mutex}, m_value}; }

  // For coroutines: the same, awaited. The closure is kept in the coroutine's frame and runs before it goes
  // on.
  template <class F>
  auto async_read(F f) const {
    return async([this, f = std::move(f)]() mutable { return run_read(f); });
  }
  template <class F>
  auto async_update(F f) {
    return async([this, f = std::move(f)]() mutable { return run_update(f); });
  }
  template <class F>
  auto async_with(F f) {
    return async([this, f = std::move(f)]() mutable { return run_with(f); });
  }
  auto async_lock() { return async_guard_operation{m_mutex.async_lock(), *this}; }

 private:
  template <class F>
  auto run_read(F& f) const {
    detail::check_result<std::invoke_result_t<F&, const T&>, T>();
    return std::invoke(f, std::as_const(m_value));
  }

  template <class F>
  auto run_with(F& f) {
    detail::check_result<std::invoke_result_t<F&, T&>, T>();
    return std::invoke(f, m_value);
  }

  template <class F>
  auto run_update(F& f) {
    static_assert(std::is_copy_constructible_v<T>,
                  "update works on a copy: T must be copyable, or use with()");
    static_assert(std::is_nothrow_move_assignable_v<T> || std::is_nothrow_swappable_v<T>,
                  "update puts the copy in place: T must be nothrow movable, or use with()");
    using result = std::invoke_result_t<F&, T&>;
    detail::check_result<result, T>();
    T copy(std::as_const(m_value));
    if constexpr (std::is_void_v<result>) {
      std::invoke(f, copy);
      commit(copy);
    } else {
      // By value, so that it is complete before the change is: if making it throws, the old value stands.
      std::decay_t<result> r = std::invoke(f, copy);
      commit(copy);
      return r;
    }
  }

  void commit(T& copy) noexcept {
    if constexpr (std::is_nothrow_move_assignable_v<T>) {
      m_value = std::move(copy);
    } else {
      using std::swap;
      swap(m_value, copy);
    }
  }

  template <class Section>
  struct [[nodiscard]] async_section_operation {
    decltype(std::declval<Mutex&>().async_lock()) lock;
    Section section;
    bool await_ready() { return lock.await_ready(); }
    template <class Promise>
    auto await_suspend(std::coroutine_handle<Promise> h) {
      return lock.await_suspend(h);
    }
    auto await_resume() {
      const auto hold = lock.await_resume();
      return section();
    }
  };

  struct [[nodiscard]] async_guard_operation {
    decltype(std::declval<Mutex&>().async_lock()) operation;
    guarded& owner;
    bool await_ready() { return operation.await_ready(); }
    template <class Promise>
    auto await_suspend(std::coroutine_handle<Promise> h) {
      return operation.await_suspend(h);
    }
    guard await_resume() { return guard{operation.await_resume(), owner.m_value}; }
  };

  template <class Section>
  auto async(Section section) const {
    return async_section_operation<Section>{m_mutex.async_lock(), std::move(section)};
  }

  mutable Mutex m_mutex;
  T m_value{};
};

}  // namespace mortise::inline MORTISE_ABI
