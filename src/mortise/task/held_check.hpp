#pragma once

#include <mortise/base/abi.hpp>
#include <mortise/base/sanitizers.hpp>
#include <mortise/task/task_block.hpp>

#if MORTISE_IS_CHECKED && !MORTISE_TSAN
#define MORTISE_CHECKS_HELD 1
#else
#define MORTISE_CHECKS_HELD 0
#endif

// Checked builds name a task that suspends, or ends, while it holds a lock that belongs to its OS thread (std::mutex,
// std::shared_mutex, what else ends up in pthread_mutex_lock and pthread_rwlock_*lock).
//
// Whoever locks it next blocks a worker, and may be the one that would have to run the holder; and the holder may go on on
// another thread, which must not unlock it. So these functions of the C library are interposed and passed on, and each OS thread
// keeps what it holds; a worker notes how much that is as it enters a task, and looks when the task leaves. Only calls that go
// through the dynamic symbol are seen, so the C library's own locks are not. Not under ThreadSanitizer, which interposes the
// same.
namespace mortise::inline MORTISE_ABI::task_detail {

#if MORTISE_CHECKS_HELD
void entered_with_held() noexcept;  // this OS thread enters a task
void check_held(const task_block& t,
                const char* does) noexcept;  // `t`, which runs on it, "suspends" or "ends"
#else
inline void entered_with_held() noexcept {}
inline void check_held(const task_block&, const char*) noexcept {}
#endif

}  // namespace mortise::inline MORTISE_ABI::task_detail
