#pragma once

// mortise::task_scope: tasks that end before it does.
//
//     mortise::task_scope tasks;
//     for (int i = 0; i < 100; ++i) tasks.go([&](std::stop_token stop) { while (!stop.stop_requested())
//     work(); }); mortise::sleep_for(1s); tasks.stop_and_join();

#include <coroutine>
#include <stop_token>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/spawn.hpp>
#include <mortise/wait/coroutine.hpp>
#include <mortise/wait/subject.hpp>

namespace mortise::inline MORTISE_ABI {

// Owns tasks. They share a stop token, which a callable given to `go` may take as its argument, as with
// std::jthread. The destructor requests stop and joins. Everything but request_stop, and `go` from within its
// own tasks, is for one owner at a time.
//
// Promises
// - S1 join returns when all tasks have ended, and all they did is visible then.
// - S2 join rethrows the first exception that left a task, once; the scope may be used again.
// - S3 The destructor stops, joins and does not throw; an exception that nobody joined for ends the program with its
//   what(), except during unwinding.
class task_scope {
 public:
  // On the runtime of the caller's task, else on the default one. Throws std::system_error, std::bad_alloc.
  MORTISE_API task_scope();
  MORTISE_API explicit task_scope(runtime& r);
  // Requests stop, joins and does not throw: an exception that nobody joined for ends the program with its
  // what(), except during unwinding.
  MORTISE_API ~task_scope();
  task_scope(const task_scope&) = delete;
  task_scope& operator=(const task_scope&) = delete;

  // Starts a task of this scope; see mortise::go for what `f` may be. Throws: std::system_error when there is
  // no memory.
  template <task_detail::spawnable F>
  void go(F&& f) {
    task_detail::spawn(m_core, std::forward<F>(f));
  }

  MORTISE_API bool request_stop() noexcept;
  MORTISE_API std::stop_token get_stop_token() const noexcept;

  // Waits until all tasks have ended and rethrows the first exception that left one. All they did is visible
  // afterwards; the scope may be used again. Blocks: thread or fiber.
  MORTISE_API void join();
  void stop_and_join() {
    request_stop();
    join();
  }

  // The same for coroutines: `co_await tasks.async_join();`
  class async_join_operation;
  [[nodiscard]] async_join_operation async_join() noexcept;

 private:
  MORTISE_API bool empty() const noexcept;
  MORTISE_API void wait() noexcept;
  MORTISE_API void rethrow();
  MORTISE_API bool suspend(wait::waiter& n, void* frame, bool native) noexcept;
  MORTISE_API void no_joiner() noexcept;

  task_detail::scope_core& m_core;
};

class task_scope::async_join_operation : wait::waiter {
 public:
  explicit async_join_operation(task_scope& s) noexcept : m_scope{s} {
    step = [](waiter& n, request what) noexcept {
      auto& me = static_cast<async_join_operation&>(n);
      if (what == request::leave) me.m_scope.no_joiner();
      if (what == request::claim && !me.m_scope.empty()) return false;
      mortise::wait::note_end(n);
      n.who = nullptr;  // its wait is over: the frame may go
      return true;
    };
  }
  async_join_operation(const async_join_operation&) = delete;
  async_join_operation& operator=(const async_join_operation&) = delete;
  ~async_join_operation() {
    if (who == nullptr) return;
    mortise::wait::note_end(*this);
    who->abandon();  // the scope may be gone: what it still has of us wakes nobody
  }

  bool await_ready() const noexcept { return m_scope.empty(); }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) noexcept {
    return m_scope.suspend(*this, h.address(), wait::native_promise<Promise>);
  }
  void await_resume() const { m_scope.rethrow(); }

 private:
  task_scope& m_scope;
};

inline task_scope::async_join_operation task_scope::async_join() noexcept {
  return async_join_operation{*this};
}

}  // namespace mortise::inline MORTISE_ABI
