#pragma once

#include <optional>
#include <string>

#include <mortise/base/abi.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::lock_detail {

// Who holds a mutex, as far as it is known: in checked builds at all times, in others while that is kept (holder_table.hpp). For whoever
// looks on; it may have changed by the time that it is read.
struct holder_seen {
  const wait::parker* who = nullptr;  // null: no party is known
  std::string text;                   // "fiber 12", "async_lock at bank.cpp:41"; empty: what `who` is called
};

MORTISE_API std::optional<holder_seen> holder_of(const void* mutex);

}  // namespace mortise::inline MORTISE_ABI::lock_detail
