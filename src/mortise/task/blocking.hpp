#pragma once

// Calls that block their OS thread, made by tasks.
//
//     std::string text = mortise::blocking([&] { return read_all(path); });                     // a fiber
//     std::string text = co_await mortise::async_blocking([&] { return read_all(path); });      // a coroutine
//
// Reading from a file or a terminal, getaddrinfo, a library's own mutex or condition variable, a process to wait for: what knows
// nothing of tasks blocks the worker that runs it, and with it all that is queued there. Here it blocks a thread that is kept
// for that, and the worker goes on with others.

#include <concepts>
#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/task/blocking_pool.hpp>
#include <mortise/wait/coroutine.hpp>

namespace mortise::inline MORTISE_ABI {

namespace task_detail {

// Whether the caller's OS thread has others to run while it waits.
MORTISE_API bool shares_its_thread() noexcept;
MORTISE_API void begin_elsewhere(blocking_call& c, wait::parker& waits);
MORTISE_API void call_elsewhere(blocking_call& c);  // waits as well
MORTISE_API void forget_elsewhere(blocking_call& c) noexcept;

// A call of an F, and what came of it.
template <class F>
class call_of : public blocking_call {
 public:
  using result_type = std::invoke_result_t<F>;

  explicit call_of(F&& f) noexcept(std::is_nothrow_constructible_v<F, F&&>)
      : blocking_call{[](blocking_call& c) noexcept { static_cast<call_of&>(c).make(); }},
        m_f{std::forward<F>(f)} {}

  result_type result() {
    if (m_error) std::rethrow_exception(std::move(m_error));
    if constexpr (std::is_reference_v<result_type>) {
      return static_cast<result_type>(**m_value);
    } else if constexpr (!std::is_void_v<result_type>) {
      return std::move(*m_value);
    }
  }

 private:
  void make() noexcept {
    try {
      if constexpr (std::is_void_v<result_type>) {
        std::invoke(std::forward<F>(m_f));
      } else if constexpr (std::is_reference_v<result_type>) {
        result_type r = std::invoke(std::forward<F>(m_f));
        m_value.emplace(std::addressof(r));
      } else {
        m_value.emplace(std::invoke(std::forward<F>(m_f)));
      }
    } catch (...) {
      m_error = std::current_exception();
    }
  }

  struct nothing {};
  using kept = std::conditional_t<
      std::is_void_v<result_type>, nothing,
      std::conditional_t<std::is_reference_v<result_type>, std::add_pointer_t<result_type>, result_type>>;
  F m_f;
  [[no_unique_address]] std::conditional_t<std::is_void_v<result_type>, nothing, std::optional<kept>> m_value;
  std::exception_ptr m_error;
};

}  // namespace task_detail

// Runs `f`, which may block its OS thread, and waits for it. A plain thread, which stalls nobody, just calls it.
// Returns what `f` returns, which is moved out of it. Blocks: thread or fiber; in a coroutine's step the worker goes on with other
// tasks, but async_blocking is meant. Cost: two wakes of a thread; where none is idle, the start of one.
//
// Promises
// - B1 `f` runs once, and the worker's other tasks go on meanwhile.
// - B2 What it returns or throws comes out here, and what it did is visible then.
// - B3 512 such calls run at once; more are queued, in their order, until one of these is done. The threads are started as they are
//   needed, shared by all runtimes of the process, and leave after 10 s without a call.
// - B4 A forked child begins with no such threads and none of the calls. A call that itself forks and returns in the child is named
//   and aborts.
// - B5 Where no thread can be started the call is queued for those that there are; where there is none it throws std::system_error, and
//   `f` never runs.
// - B6 A coroutine's frame that is destroyed while its call runs waits for it; a call that has not begun never runs then.
//
// Does not promise an order between calls that run at once, nor that `f` sees its task's thread: it runs on another one, so
// thread_locals and gettid are that one's, what belongs to a thread (a std::mutex) comes and goes with neither, and a mortise::mutex
// that the task holds is held by another party. Nothing cancels a call: one that should end early looks at a std::stop_token
// which it has captured. 512 calls that wait for another call to begin wait for ever. When main returns, calls of detached tasks end with
// the process, in their midst.
template <std::invocable F>
std::invoke_result_t<F> blocking(F&& f) {
  if (!task_detail::shares_its_thread()) return std::invoke(std::forward<F>(f));
  task_detail::call_of<F&&> call{std::forward<F>(f)};
  task_detail::call_elsewhere(call);
  return call.result();
}

template <class F>
class [[nodiscard]] async_blocking_operation : wait::waiter {
 public:
  async_blocking_operation(F&& f, wait::executor* where) : m_call{std::move(f)}, m_where{where} {
    step = &on_step;
  }
  async_blocking_operation(const async_blocking_operation&) = delete;
  async_blocking_operation& operator=(const async_blocking_operation&) = delete;
  ~async_blocking_operation() {
    if (m_begun) task_detail::forget_elsewhere(m_call);
    if (who != nullptr) who->abandon();
  }

  static bool await_ready() noexcept { return false; }

  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> h) {
    wait::parker& me = wait::coroutine_parker(h.address(), *this, wait::native_promise<Promise>, m_where);
    who = &me;
    try {
      m_begun = true;
      task_detail::begin_elsewhere(m_call, me);
    } catch (...) {
      m_begun = false;
      who = nullptr;
      me.abandon();
      throw;
    }
    me.has_suspended();  // from here on the frame may be running elsewhere
  }

  std::invoke_result_t<F> await_resume() {
    m_begun = false;
    return m_call.result();
  }

 private:
  static bool on_step(waiter& n, request what) noexcept {
    auto& me = static_cast<async_blocking_operation&>(n);
    // acquire: O1 of the pool
    if (what == request::claim && !me.m_call.done.load(memory_order_acquire)) return false;
    n.who = nullptr;
    return true;
  }

  task_detail::call_of<F> m_call;
  wait::executor* m_where;
  bool m_begun = false;  // and may be running
};

// The same for coroutines, which keep `f` in their frame. One that is no task of a runtime is resumed on `where`; null: the default
// executor.
template <class F>
  requires std::invocable<std::decay_t<F>>
async_blocking_operation<std::decay_t<F>> async_blocking(F&& f, wait::executor* where = nullptr) {
  return {std::decay_t<F>(std::forward<F>(f)), where};
}

}  // namespace mortise::inline MORTISE_ABI
