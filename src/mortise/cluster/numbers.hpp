#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/cluster/durations.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// What a lock of the cluster has been through in this process, since it was made.
//
// Promises
// - CN1 They are exact: each is counted once, under a lock of the process that is held anyway. Those of a session never become less.
// Cost: of an acquisition three looks at the clock.
struct numbers {
  std::uint64_t acquisitions = 0;  // by parties of this process
  std::uint64_t local_handovers =
      0;  // of them those that had it from another party of the process, without the store
  std::uint64_t tenures = 0;           // how often the key was asked for
  std::uint64_t remote_handovers = 0;  // of them those that had it from another process, and waited for it
  std::uint64_t given_up = 0;          // parties that represented, and did not wait to the end
  std::uint64_t lost = 0;              // tenures that ended without us
  std::uint64_t refused = 0;           // tenures that the store would not have, or not go on with

  std::uint64_t commits = 0;          // of changes, that were applied
  std::uint64_t updates = 0;          // closures whose change was applied; many may be in one commit
  std::uint64_t updates_lost = 0;     // told `lost`: not applied
  std::uint64_t updates_unknown = 0;  // told `unknown`
  std::uint64_t updates_again = 0;    // run once more: the value was another one, or the commit was not done

  std::uint64_t unknown = 0;               // commits without an answer: of these
  std::uint64_t resolved_applied = 0;      // were found
  std::uint64_t resolved_not_applied = 0;  // cannot be applied any more, and were done again
  std::uint64_t unresolved = 0;            // were reported as unknown

  durations wait;  // of parties, from asking to being inside
  durations hold;  // of parties, from being inside to having left
  durations kept;  // of the key, from when it was ours until the store had it back

  MORTISE_API numbers& operator+=(const numbers& o) noexcept;
};

// The lease of a session.
struct lease_numbers {
  std::uint64_t leases = 0;    // that were granted
  std::uint64_t gone = 0;      // of them those that the store did not have any more
  std::uint64_t renewals = 0;  // that were answered
  std::uint64_t failures = 0;  // grants and renewals that were not, or refused
  nanos age = 0;       // since the grant or renewal that was answered last was sent; 0: there is no lease
  nanos good_for = 0;  // yet, by the local clock; 0: not
};

// All of a session: of each lock by its name, those that have been destroyed too.
struct session_numbers {
  lease_numbers lease;
  std::map<std::string, numbers> locks;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
