#pragma once

#include <mortise/base/abi.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

// Calls `look(with)` on the stack of a fiber that is parked, as if that had called it where it parked, and leaves all as it was. Whoever wakes the
// fiber meanwhile does not wait, and it goes on afterwards. Requires: `look` neither suspends nor throws, and needs 8 KiB of stack at most. False: it
// is no fiber of ours, is not parked, or has not so much stack left; or this is a build for sanitizers or valgrind, which would have to be told.
MORTISE_API bool call_where_parked(const wait::parker& who, void (*look)(void*), void* with) noexcept;

}  // namespace mortise::inline MORTISE_ABI::task_detail
