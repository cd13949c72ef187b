#pragma once

// How a closure becomes a task; shared by go and task_scope.

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <stop_token>
#include <system_error>
#include <type_traits>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/task/task.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

// What a task runs, type erased. A fiber's lies at the top of its stack, a coroutine's on the heap (or there
// is none).
struct closure {
  void (*run)(closure&, scope_core&);  // fibers only
  void (*destroy)(closure&) noexcept;  // destroys the callable, and frees the memory of a coroutine's
};

// Room for a fiber's closure; the task is not yet visible to anyone. Throws std::system_error.
struct unborn_fiber {
  task_block* task;
  void* room;
};
MORTISE_API unborn_fiber make_fiber(scope_core& scope, std::size_t size, std::size_t alignment);
MORTISE_API task_block& make_coroutine(scope_core& scope);
MORTISE_API void start_fiber(task_block& t, closure& body) noexcept;
MORTISE_API void start_coroutine(task_block& t, void* frame, closure* body) noexcept;
MORTISE_API void discard(task_block& t) noexcept;  // when making its closure threw
MORTISE_API std::stop_token stop_token_of(scope_core& s) noexcept;

template <class F>
decltype(auto) call(F& f, scope_core& s) {
  if constexpr (std::invocable<F&, std::stop_token>) {
    return std::invoke(f, stop_token_of(s));
  } else {
    return std::invoke(f);
  }
}

template <class F>
using result_of_call = decltype(call(std::declval<F&>(), std::declval<scope_core&>()));

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;

// What `go` takes: callable with nothing or with a std::stop_token.
template <class F>
concept spawnable = std::move_constructible<std::decay_t<F>> &&
                    (std::invocable<std::decay_t<F>&> || std::invocable<std::decay_t<F>&, std::stop_token>);

template <class F>
struct holding_closure : closure {
  F f;
  explicit holding_closure(F&& callable) : f{std::move(callable)} {}
  explicit holding_closure(const F& callable) : f{callable} {}
};

template <class Raw>
void spawn_fiber(scope_core& scope, Raw&& f) {
  using holder = holding_closure<std::decay_t<Raw>>;
  const unborn_fiber u = make_fiber(scope, sizeof(holder), alignof(holder));
  holder* body = nullptr;
  if constexpr (std::is_nothrow_constructible_v<std::decay_t<Raw>, Raw&&>) {
    body = ::new (u.room) holder(std::forward<Raw>(f));
  } else {
    try {
      body = ::new (u.room) holder(std::forward<Raw>(f));
    } catch (...) {
      discard(*u.task);
      throw;
    }
  }
  body->run = [](closure& c, scope_core& s) { static_cast<void>(call(static_cast<holder&>(c).f, s)); };
  body->destroy = [](closure& c) noexcept { std::destroy_at(&static_cast<holder&>(c)); };
  start_fiber(*u.task, *body);
}

template <class Raw>
void spawn_coroutine(scope_core& scope, Raw&& f) {
  using callable = std::decay_t<Raw>;
  using holder = holding_closure<callable>;
  task_block& t = make_coroutine(scope);
  try {
    if constexpr (std::is_empty_v<callable> && std::is_trivially_destructible_v<callable>) {
      // Nothing is captured, so nothing has to outlive the call.
      callable copy(std::forward<Raw>(f));
      auto frame = call(copy, scope).release();
      frame.promise().is_root_of(t);
      start_coroutine(t, frame.address(), nullptr);
    } else {
      // The captures of a lambda live in the lambda, not in the frame: the task keeps it.
      auto body = std::make_unique<holder>(std::forward<Raw>(f));
      body->destroy = [](closure& c) noexcept { delete &static_cast<holder&>(c); };
      auto frame = call(body->f, scope).release();
      frame.promise().is_root_of(t);
      start_coroutine(t, frame.address(), body.release());
    }
  } catch (const std::bad_alloc&) {
    discard(t);
    throw std::system_error(std::make_error_code(std::errc::not_enough_memory),
                            "mortise::go: no memory for a coroutine");
  } catch (...) {
    discard(t);
    throw;
  }
}

template <spawnable F>
void spawn(scope_core& scope, F&& f) {
  if constexpr (is_task<result_of_call<std::decay_t<F>>>) {
    spawn_coroutine(scope, std::forward<F>(f));
  } else {
    spawn_fiber(scope, std::forward<F>(f));
  }
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
