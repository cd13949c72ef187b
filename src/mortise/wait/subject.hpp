#pragma once

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::wait {

struct waiter;
struct particulars;  // particulars.hpp

// What is waited for. `kind` is a literal: "mutex".
struct subject {
  const void* what;
  const char* kind;
  bool has_deadline = false;
  // Null: nothing more is known. Called by whoever looks on, while the wait is under way: it neither waits for a lock nor allocates.
  void (*tell)(const void* what, particulars& to) noexcept = nullptr;
};

// `n` is in the queue of `s`, and its party sleeps next; and: `n` has what it came for, or has given up. For whoever looks on (observer.hpp).
// After all internal locks; where the party blocks, on its own stack. Once each, in turn. Cost with nobody looking: one load.
// The subject by reference, since a copy of it for the call would be read in wider pieces than it was just written in: the processor waits for those.
MORTISE_API void note_wait(const waiter& n, const subject& s) noexcept;
MORTISE_API void note_end(const waiter& n) noexcept;

}  // namespace mortise::inline MORTISE_ABI::wait
