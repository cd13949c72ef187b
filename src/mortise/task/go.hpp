#pragma once

// mortise::go(f): run f as a task, and go on at once.
//
//     mortise::go([] { mortise::sleep_for(1ms); });                                   // a fiber
//     mortise::go([]() -> mortise::task<> { co_await mortise::async_sleep_for(1ms); }); // a coroutine

#include <utility>

#include <mortise/task/runtime.hpp>
#include <mortise/task/spawn.hpp>
#include <mortise/task/task.hpp>

namespace mortise::inline MORTISE_ABI {

namespace task_detail {
MORTISE_API scope_core& detached_scope(runtime& r) noexcept;
}

// Starts `f` as a task of `r` that nobody joins; use a task_scope for tasks that end before something else
// does. A callable that returns a mortise::task is a coroutine; any other is a fiber, on a stack of its own,
// and may call blocking functions of this library anywhere. `f` may take a std::stop_token, which is never
// stopped here. Blocks: never. Throws: std::system_error. Cost: a fiber about 0.3 us and one resident page, a
// coroutine its frame.
//
// Promises
// - T1 `f` runs once, in whatever thread `go` was called.
// - T2 The task keeps a copy of `f` for as long as it lives, and no longer.
// - T3 An exception that leaves `f` ends the program with its what().
// - T4 Where there is no memory or mapping for the task, `go` throws std::system_error and all that runs goes on.
template <task_detail::spawnable F>
void go(runtime& r, F&& f) {
  task_detail::spawn(task_detail::detached_scope(r), std::forward<F>(f));
}

// On the runtime of the calling task, else on the default one.
template <task_detail::spawnable F>
void go(F&& f) {
  go(runtime::current(), std::forward<F>(f));
}

}  // namespace mortise::inline MORTISE_ABI
