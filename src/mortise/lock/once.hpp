#pragma once

// mortise::call_once: std's, for threads, fibers and coroutines.
//
//     constinit mortise::once_flag loaded;
//     mortise::call_once(loaded, load, path);                             // from a thread or a fiber
//     co_await mortise::async_call_once(loaded, [&] { load(path); });     // from a coroutine

#include <coroutine>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/lock/mutex.hpp>

namespace mortise::inline MORTISE_ABI {

// Promises
// - O1 Of all closures called with one flag exactly one returns normally; what it did is seen by everyone whose call returns.
// - O2 One that throws lets the exception out of its own call, and another's is tried: whoever waits is next.
// - O3 Others wait meanwhile, whatever their kind. Once done, a call costs one load.
// Does not promise: recursion, a closure that calls with its own flag waits for itself. 16 bytes; `constexpr` constructor.
class once_flag {
 public:
  constexpr once_flag() noexcept = default;
  once_flag(const once_flag&) = delete;
  once_flag& operator=(const once_flag&) = delete;

 private:
  template <class F, class... Args>
  friend void call_once(once_flag& flag, F&& f, Args&&... args);
  template <class F>
  friend class async_call_once_operation;

  bool is_done() const noexcept { return m_done.load(memory_order_acquire); }  // pairs with set_done

  // Under the mutex.
  template <class F, class... Args>
  void run(F&& f, Args&&... args) {
    if (m_done.load(memory_order_relaxed)) return;  // relaxed: the mutex orders it
    std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
    m_done.store(true, memory_order_release);  // publishes what f did
  }

  mutex m_mutex;
  atomic<bool> m_done{false};
};

// Calls f(args...) unless that has been done with this flag; waits while another does. Blocks: as mutex::lock. Throws: what f throws.
template <class F, class... Args>
void call_once(once_flag& flag, F&& f, Args&&... args) {
  if (flag.is_done()) return;
  const std::lock_guard hold{flag.m_mutex};
  flag.run(std::forward<F>(f), std::forward<Args>(args)...);
}

template <class F>
class [[nodiscard]] async_call_once_operation {
 public:
  async_call_once_operation(once_flag& flag, F f, wait::executor* where)
      : m_flag{flag}, m_f{std::move(f)}, m_lock{flag.m_mutex.async_lock(where)} {}

  bool await_ready() noexcept {
    m_done = m_flag.is_done();
    return m_done || m_lock.await_ready();
  }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) noexcept {
    return m_lock.await_suspend(h);
  }
  void await_resume() {
    if (m_done) return;
    const auto hold = m_lock.await_resume();
    m_flag.run(m_f);
  }

 private:
  once_flag& m_flag;
  F m_f;
  bool m_done = false;
  mutex::async_lock_operation m_lock;
};

// The same for coroutines; where they resume: as mutex::async_lock.
template <class F>
async_call_once_operation<F> async_call_once(once_flag& flag, F f, wait::executor* where = nullptr) {
  return {flag, std::move(f), where};
}

}  // namespace mortise::inline MORTISE_ABI
