#pragma once

// Locks for who works with standalone Asio; <mortise/asio/boost.hpp> is the same for Boost.Asio. One program, one source file even, may use both.
//
//     mortise::guarded<std::map<int, int>> state;
//     {
//       auto hold = co_await mortise::async_lock(state, asio::use_awaitable);
//       (*hold)[3] = 7;
//     }
//     mortise::async_lock(m, [](std::error_code e, std::unique_lock<mortise::mutex> hold) { ... });
//
// (examples/asio_server.cpp)

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <system_error>
#include <type_traits>
#include <utility>

#include <asio/associated_allocator.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/error.hpp>
#include <asio/execution.hpp>
#include <asio/execution_context.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/query.hpp>
#include <asio/system_executor.hpp>
#include <asio/version.hpp>
#if ASIO_VERSION >= 101900
#include <asio/associated_cancellation_slot.hpp>
#include <asio/cancellation_type.hpp>
#endif

#include <mortise/asio/access.hpp>
#include <mortise/asio/waiting_room.hpp>
#include <mortise/base/fatal.hpp>
#include <mortise/wait/callback.hpp>
#include <mortise/wait/limit.hpp>

// async_lock(lock, token)            a mutex, a shared_mutex or a guarded<T>: void(error_code, std::unique_lock<Lock>), for guarded a guard
// async_lock_shared(lock, token)     a shared_mutex: void(error_code, std::shared_lock<shared_mutex>)
// async_acquire(semaphore, token)    void(error_code); without an error the handler has a permit to release
//
// Promises
// - A1 Any completion token: a callback, use_future, use_awaitable, deferred and what adapts them. A callback that says nothing of itself goes
//   with either flavour; where both headers are included, with standalone Asio.
// - A2 The handler runs on its associated executor, never inside async_lock, nor inside an unlock. The executor has work until then.
// - A3 The operation is kept in memory of the associated allocator, which is given back before the handler runs.
// - A4 A cancellation slot cancels, with any type of cancellation: the handler gets operation_aborted and a lock that owns nothing, or no error and
//   the lock; which of the two is decided once, where the handler runs. To emit is safe in any thread that may touch the slot.
// - A5 If the context ends while it waits, or with its handler on the way, the handler is destroyed; it leaves the queue and passes on what it
//   was offered. This holds whatever other threads unlock meanwhile.
// - A6 It waits in the queue of all other kinds, in the order of arrival; but on the way to its executor it holds nothing, so one that never gets
//   there holds nobody up for longer than some 4 ms.
// Does not promise cancellation with an Asio before 1.19 (Boost 1.77), which knows no slots; nor A5 for executors of no execution context.
// Requires: the lock lives until the handler has run or been destroyed. Cost: one post to the executor when the lock is free, one more for each
// time that it is told to come.

#define MORTISE_NET ::asio
#define MORTISE_NET_ERROR ::asio::error_code
#define MORTISE_NET_SLOTS (ASIO_VERSION >= 101900)
#define MORTISE_WITH_NET with_standalone_asio
#define MORTISE_NET_LOCK &
#include <mortise/asio/operations.ipp>
#undef MORTISE_NET
#undef MORTISE_NET_ERROR
#undef MORTISE_NET_SLOTS
#undef MORTISE_WITH_NET
#undef MORTISE_NET_LOCK
