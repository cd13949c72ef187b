#pragma once

// Who holds which mutex or shared_mutex, in unchecked builds: written down while anybody asks for it. The fast ways of mutexes are shut then
// (base/restartable.hpp), so that each lock and unlock goes the slow way, which tells; a shared_mutex, whose ways are longer, looks each time
// (takers.hpp). Checked builds know at all times (checked.cpp).

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::lock_detail {

// Of a lock that was taken before, nothing is known. Cost while kept: some 15 to 25 ns for a lock and unlock that nobody waits for. Calls of keep
// are counted, and closed by as many of forget. Throws nothing: where there is no memory nothing is known.
MORTISE_API void keep_holders() noexcept;
MORTISE_API void forget_holders() noexcept;

#if !MORTISE_IS_CHECKED && !MORTISE_IS_MODEL

// The caller holds `lock`, for `who`, or still holds it.
void write_down_holder(const void* lock, const wait::parker& who) noexcept;
void strike_out_holder(const void* lock) noexcept;

extern MORTISE_API atomic<bool> holders_are_kept;  // relaxed: who sees it late is not known
inline bool keeps_holders() noexcept { return holders_are_kept.load(memory_order_relaxed); }

#else

constexpr void write_down_holder(const void*, const wait::parker&) noexcept {}
constexpr void strike_out_holder(const void*) noexcept {}
constexpr bool keeps_holders() noexcept { return false; }

#endif

// What is read of holders is true if this says the same, and not 0, before it is read and after. 0: they are not kept, or what is left from
// before is there still. Checked builds: always 1.
unsigned holders_told() noexcept;

}  // namespace mortise::inline MORTISE_ABI::lock_detail
