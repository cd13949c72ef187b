#pragma once

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::wait {

struct waiter;

// What more is known of what is waited for than where it lies.
struct particulars {
  char name[72] = "";         // empty: it has none
  unsigned long process = 0;  // that holds it; 0: not known
};

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
MORTISE_API void note_wait(const waiter& n, subject s) noexcept;
MORTISE_API void note_end(const waiter& n) noexcept;
// Whoever told `n`, which waits and sleeps on, has put it into the queue of `s`. In the section that it was moved in, since it may be gone after.
MORTISE_API void note_move(const waiter& n, subject s) noexcept;

}  // namespace mortise::inline MORTISE_ABI::wait
