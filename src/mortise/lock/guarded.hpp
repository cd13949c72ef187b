#pragma once

// mortise::guarded<T>: a value that can only be reached under its lock.
//
//     mortise::guarded<std::map<int, int>> state;
//     int v = state.read([](const auto& m) { return m.at(3); });   // a consistent look
//     state.update([](auto& m) { m[3] = 7; });                     // all or nothing
//     state.with([](auto& m) { m[3] = 7; });                       // in place
//     co_await state.async_with([](auto& m) { m[3] = 7; });        // from a coroutine
//     state.with_when([](const auto& m) { return m.contains(3); }, [](auto& m) { m.erase(3); });  // waits until it holds
//
// (examples/seed_guarded.cpp)

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/lock/guarded_result.hpp>
#include <mortise/lock/guarded_when.hpp>
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
// - G5 With mortise::mutex: whoever waits for a condition (wait, with_when, update_when and their kin) goes on under the lock when it
//   holds, in the order of arrival among those whose conditions hold. The one that changes the value and unlocks evaluates the
//   conditions, on const T&: they may neither suspend nor lock. One that throws counts as true, and the exception comes out
//   where it was waited. There is nothing to notify. One who is picked and never runs holds the others up until somebody changes
//   the value again (4 ms later at the earliest).
// - G6 With shared_mutex read() is shared; the closures of several readers run at once.
// Size: T, the Mutex, and with mortise::mutex 16 bytes for the conditions.
// Does not promise that a closure does not leak a reference by other means; nor recursion: a closure that uses the
// same guarded waits for itself. Requires: Mutex is Lockable; for the async_ forms it has async_lock().
// With mortise::mutex it also has wait, with_when, update_when and their kin, see guarded_when.hpp.
template <class T, class Mutex = mutex>
class guarded : public detail::guarded_conditions<guarded<T, Mutex>, T, Mutex> {
  friend class lock_probe;   // tests: who waits
  friend class lock_access;  // asio/: how else it is waited for
  friend class lock_order;   // which lock it is
  friend detail::guarded_conditions<guarded, T, Mutex>;
  template <class, class, class, bool>
  friend class detail::async_when;
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
    const reading hold{m_mutex};
    return run_read(f);
  }

  // Calls f(T&) on a copy of the value and puts it in place when f has returned: if f throws, the old value
  // stands. Cost: a copy of T under the lock, O(size). Requires: T is copyable and nothrow movable.
  template <class F>
  auto update(F&& f) {
    m_mutex.lock();
    const changing hold{*this};
    return run_update(f);
  }

  // Calls f(T&) on the value itself under the lock. If f throws, what it did so far stands.
  template <class F>
  auto with(F&& f) {
    m_mutex.lock();
    const changing hold{*this};
    return run_with(f);
  }

  // Holds the lock while it lives; * and -> reach the value.
  class [[nodiscard]] guard {
   public:
    guard() = default;  // holds nothing, and reaches nothing
    T& operator*() const noexcept { return *m_value; }
    T* operator->() const noexcept { return m_value; }
    void unlock() {
      if (m_hold.owns_lock()) m_owner->before_unlock(m_owner->m_mutex, m_owner->m_value);
      m_hold.unlock();
      m_value = nullptr;
    }
    guard(guard&&) noexcept = default;
    guard& operator=(guard&& o) noexcept {
      guard taken{std::move(o)};
      std::swap(m_hold, taken.m_hold);
      std::swap(m_value, taken.m_value);
      std::swap(m_owner, taken.m_owner);
      return *this;
    }
    ~guard() {
      if (m_hold.owns_lock()) m_owner->before_unlock(m_owner->m_mutex, m_owner->m_value);
    }

   private:
    friend guarded;
    friend class lock_access;
    guard(std::unique_lock<Mutex> hold, guarded& owner) noexcept
        : m_hold{std::move(hold)}, m_value{std::addressof(owner.m_value)}, m_owner{&owner} {}
    std::unique_lock<Mutex> m_hold;
    T* m_value = nullptr;
    guarded* m_owner = nullptr;
  };

  // Blocks: as Mutex::lock.
  guard lock() { return guard{std::unique_lock{m_mutex}, *this}; }

  // For coroutines: the same, awaited. The closure is kept in the coroutine's frame and runs before it goes
  // on.
  template <class F>
  auto async_read(F f) const {
    auto section = [this, f = std::move(f)]() mutable { return run_read(f); };
    if constexpr (shares) {
      return async_section_operation<decltype(m_mutex.async_lock_shared()), decltype(section)>{
          m_mutex.async_lock_shared(), std::move(section), nullptr};
    } else {
      return async_section_operation<decltype(m_mutex.async_lock()), decltype(section)>{
          m_mutex.async_lock(), std::move(section), nullptr};
    }
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

  // Readers share the lock where they can.
  static constexpr bool shares = requires(Mutex& m) { m.lock_shared(); };
  using reading = std::conditional_t<shares, std::shared_lock<Mutex>, std::unique_lock<Mutex>>;

  // Of the lock, which is held, until the end of a section that may have changed the value.
  struct changing {
    const guarded& g;
    explicit changing(const guarded& held) noexcept : g{held} {}
    changing(const changing&) = delete;
    changing& operator=(const changing&) = delete;
    ~changing() {
      g.before_unlock(g.m_mutex, g.m_value);
      g.m_mutex.unlock();
    }
  };

  template <class Lock, class Section>
  struct [[nodiscard]] async_section_operation {
    Lock lock;
    Section section;
    const guarded* changes;  // whose value the section may change, or null
    bool await_ready() { return lock.await_ready(); }
    template <class Promise>
    auto await_suspend(std::coroutine_handle<Promise> h) {
      return lock.await_suspend(h);
    }
    auto await_resume() {
      auto hold = lock.await_resume();
      if (changes == nullptr) return section();
      hold.release();
      const changing until_the_end{*changes};
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
    guard await_resume() { return guard{operation.await_resume(), owner}; }
  };

  template <class Section>
  auto async(Section section) const {
    return async_section_operation<decltype(m_mutex.async_lock()), Section>{m_mutex.async_lock(),
                                                                            std::move(section), this};
  }

  mutable Mutex m_mutex;
  T m_value{};
};

}  // namespace mortise::inline MORTISE_ABI
