#pragma once

// mortise::task<T>: a coroutine that a runtime runs.
//
//     mortise::task<int> answer() {
//       co_await mortise::async_sleep_for(1ms);
//       co_return 42;
//     }
//     mortise::go([]() -> mortise::task<> { int n = co_await answer(); ... });

#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/wait/coroutine.hpp>

namespace mortise::inline MORTISE_ABI {

template <class T>
class task;

namespace task_detail {

class task_block;
struct scope_core;

// Called at the end of a task's outermost coroutine. The frame may be gone when it returns.
MORTISE_API void root_ended(task_block& root, void* frame, std::exception_ptr error) noexcept;

// What every promise has: who goes on when the coroutine ends. Either the coroutine that awaits it, or, with
// the lowest bit set, the task whose outermost coroutine it is. One word, since frames are counted in bytes.
class promise_base {
 public:
  using runs_as_mortise_task = void;

  static std::suspend_always initial_suspend() noexcept { return {}; }

  struct final_awaiter {
    static bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) const noexcept {
      Promise& p = h.promise();
      if ((p.m_then & root_bit) == 0)
        return std::coroutine_handle<>::from_address(reinterpret_cast<void*>(p.m_then & ~foreign_bit));
      root_ended(*reinterpret_cast<task_block*>(p.m_then & ~root_bit), h.address(), std::move(p.m_error));
      return std::noop_coroutine();
    }
    static void await_resume() noexcept {}
  };
  static final_awaiter final_suspend() noexcept { return {}; }

  void unhandled_exception() noexcept { m_error = std::current_exception(); }

  void continue_with(std::coroutine_handle<> awaiting, bool native) noexcept {
    m_then = reinterpret_cast<std::uintptr_t>(awaiting.address()) | (native ? 0 : foreign_bit);
  }
  void is_root_of(task_block& t) noexcept { m_then = reinterpret_cast<std::uintptr_t>(&t) | root_bit; }

 protected:
  friend task_block* root_of(void* frame) noexcept;
  static constexpr std::uintptr_t root_bit = 1;
  static constexpr std::uintptr_t foreign_bit = 2;  // the awaiting coroutine is no task of ours
  std::uintptr_t m_then = 0;
  std::exception_ptr m_error;
};

// The task that a coroutine of ours belongs to, through those that await it; null where that is not a task.
MORTISE_API task_block* root_of(void* frame) noexcept;

template <class T>
class promise : public promise_base {
 public:
  task<T> get_return_object() noexcept;
  template <class U>
    requires std::is_constructible_v<T, U&&>
  void return_value(U&& value) {
    m_value.emplace(std::forward<U>(value));
  }
  T result() {
    if (m_error) std::rethrow_exception(std::move(m_error));
    return std::move(*m_value);
  }

 private:
  std::optional<T> m_value;
};

template <>
class promise<void> : public promise_base {
 public:
  task<void> get_return_object() noexcept;
  static void return_void() noexcept {}
  void result() {
    if (m_error) std::rethrow_exception(std::move(m_error));
  }
};

}  // namespace task_detail

// A coroutine that has not started yet. Its promise is a native one: awaiting our locks and sleeps in it
// allocates nothing. Cost: its frame (one allocation), and nothing else.
//
// Promises
// - C1 It starts when it is awaited, by a coroutine of whatever kind, or given to `go`; what it returns or throws
//   comes out of the co_await.
// - C2 One that is destroyed before it was started never runs.
template <class T = void>
class [[nodiscard]] task {
 public:
  using promise_type = task_detail::promise<T>;

  task(task&& other) noexcept : m_frame{std::exchange(other.m_frame, nullptr)} {}
  task& operator=(task&& other) noexcept {
    std::swap(m_frame, other.m_frame);
    return *this;
  }
  ~task() {
    if (m_frame) m_frame.destroy();
  }

  class awaiter {
   public:
    explicit awaiter(std::coroutine_handle<promise_type> frame) noexcept : m_frame{frame} {}
    static bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> awaiting) const noexcept {
      m_frame.promise().continue_with(awaiting, wait::native_promise<Promise>);
      return m_frame;
    }
    T await_resume() const { return m_frame.promise().result(); }

   private:
    std::coroutine_handle<promise_type> m_frame;
  };
  awaiter operator co_await() && noexcept { return awaiter{m_frame}; }

  // For `go`.
  std::coroutine_handle<promise_type> release() noexcept { return std::exchange(m_frame, nullptr); }

 private:
  friend promise_type;
  explicit task(std::coroutine_handle<promise_type> frame) noexcept : m_frame{frame} {}
  std::coroutine_handle<promise_type> m_frame;
};

namespace task_detail {

template <class T>
task<T> promise<T>::get_return_object() noexcept {
  return task<T>{std::coroutine_handle<promise>::from_promise(*this)};
}
inline task<void> promise<void>::get_return_object() noexcept {
  return task<void>{std::coroutine_handle<promise>::from_promise(*this)};
}

}  // namespace task_detail
}  // namespace mortise::inline MORTISE_ABI
