#pragma once

#include <optional>
#include <string>

#include <mortise/base/abi.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::lock_detail {

// Who holds a mutex, as far as it is known: in checked builds. For whoever looks on; it may have changed by the time that it is read.
struct holder_seen {
  const wait::parker* who = nullptr;  // null: no party is known
  wait::party kind = wait::party::thread;
  std::string text;  // "fiber 12", "async_lock at bank.cpp:41"
};

#if MORTISE_IS_CHECKED
MORTISE_API std::optional<holder_seen> holder_of(const void* mutex);
#else
inline std::optional<holder_seen> holder_of(const void*) { return std::nullopt; }
#endif

}  // namespace mortise::inline MORTISE_ABI::lock_detail
