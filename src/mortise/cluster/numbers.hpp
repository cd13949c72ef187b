#pragma once

#include <cstdint>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// What a lock of the cluster has been through, since it was made.
struct numbers {
  std::uint64_t acquisitions = 0;  // by parties of this process
  std::uint64_t tenures =
      0;  // of them those for which the key was asked for; the others were handed over locally
  std::uint64_t given_up = 0;              // asked for, and not waited for to the end
  std::uint64_t lost = 0;                  // tenures that ended without us
  std::uint64_t commits = 0;               // of changes, that were applied
  std::uint64_t updates = 0;               // closures whose change was applied; many may be in one commit
  std::uint64_t unknown = 0;               // commits without an answer: of these
  std::uint64_t resolved_applied = 0;      // were found
  std::uint64_t resolved_not_applied = 0;  // cannot be applied any more, and were done again
  std::uint64_t unresolved = 0;            // were reported as unknown
};

}  // namespace mortise::inline MORTISE_ABI::cluster
