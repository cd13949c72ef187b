#pragma once

// What the locks of checked builds tell of themselves, for lock_order.hpp.

#include <mortise/base/abi.hpp>

#if MORTISE_IS_CHECKED

#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::lock_detail {

// The running party waits for `lock`, without a deadline, unless it is free.
void about_to_wait(const void* lock) noexcept;

// The same of a coroutine. One that is no task of a runtime has no party: whoever runs it goes on when it suspends.
void about_to_await(const void* lock) noexcept;

// The running party has taken `lock`. Returns it; async, for a coroutine: null where there is no party. `alone`: not shared.
enum class way : bool { blocking, async };
const wait::parker* taken(const void* lock, way how, bool alone) noexcept;

// `lock`, which `taker` had taken (null: nobody that is known), is about to be released.
void released(const void* lock, const wait::parker* taker) noexcept;

void destroyed(const void* lock) noexcept;

}  // namespace mortise::inline MORTISE_ABI::lock_detail

#endif
