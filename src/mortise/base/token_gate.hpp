#pragma once

// mortise::token_gate: how a resource outside the lock's reach refuses a writer that has lost its lock.
//
//     mortise::token_gate gate;                                    // beside the resource
//     if (!gate.admit(token, [&] { write(resource); })) return;    // refused: somebody newer has been here
//
// (examples/token_gate_file.cpp and examples/token_gate_sqlite.cpp keep the token where the data are.)

#include <cstdint>
#include <mutex>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/os_mutex.hpp>

namespace mortise::inline MORTISE_ABI {

// What acquisitions between processes and machines carry: never decreases from one holder to the next. 0 is nobody's.
using token = std::uint64_t;

// The highest token that has been seen, and a door for it and higher ones. For a server, or whatever is alone to reach the resource;
// where the resource outlives the process the token is stored with the data and compared in the same transaction.
//
// Promises
// - TG1 What has been admitted with a token is never followed by one that is admitted with a lower token. The same token is
//   admitted again: a holder may write often, and hands over within its process with the same.
// - TG2 Any number of threads may call it; `write` runs alone, and what it wrote is seen by the next `write`.
// Does not promise anything of a write outside `write`: whoever calls admit(token) alone holds the resource's own lock over it and
// over the write, or a newer holder may come between. Nor that a token is somebody's: it fences off the late, not the dishonest.
class token_gate {
 public:
  constexpr explicit token_gate(token highest = 0) noexcept : m_highest{highest} {}
  token_gate(const token_gate&) = delete;
  token_gate& operator=(const token_gate&) = delete;

  // False: a higher one has been here. Blocks: while `write` of another admit runs.
  [[nodiscard]] bool admit(token t) {
    return admit(t, [] {});
  }

  // The same, and calls `write()` if it is admitted, before anybody else is. Throws: what `write` throws; the token counts as seen.
  template <class Write>
  [[nodiscard]] bool admit(token t, Write&& write) {
    const std::lock_guard hold{m_guard};
    if (t < m_highest) return false;
    m_highest = t;
    std::forward<Write>(write)();
    return true;
  }

  // To be stored with the data, and given to the constructor again.
  [[nodiscard]] token highest() const {
    const std::lock_guard hold{m_guard};
    return m_highest;
  }

 private:
  mutable os_mutex m_guard;
  token m_highest;
};

}  // namespace mortise::inline MORTISE_ABI
