#pragma once

// Who has taken a lock that several may hold, and not given it back: in checked builds at all times, for the order of locks, too; in others while
// holders are kept (holder_table.hpp).

#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::lock_detail {

struct taker {
  const wait::parker* who;  // null: a coroutine of another library
  bool alone;
};

void put_taker(const void* lock, taker t);

// Who has taken what `me` gives back: `me`, if it has taken it, else one that is not known, else anyone, from whom it was handed. Null: nobody
// that is known.
const wait::parker* take_out_taker(const void* lock, const wait::parker* me);

void forget_takers() noexcept;

// For whoever looks on: those that are known. Each took it, and has not begun to unlock it; there may be more, who are not known.
MORTISE_API std::vector<taker> takers_of(const void* lock);

}  // namespace mortise::inline MORTISE_ABI::lock_detail
