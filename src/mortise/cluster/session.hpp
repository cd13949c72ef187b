#pragma once

// mortise::cluster::session: this process, as the cluster knows it.
//
//     mortise::cluster::session here{store, {.lease_ttl = 10s}};
//     mortise::cluster::mutex m{here, "jobs/nightly"};

#include <chrono>
#include <memory>
#include <string>

#include <mortise/base/abi.hpp>
#include <mortise/cluster/numbers.hpp>
#include <mortise/cluster/store.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

class session_core;

struct session_options {
  // How long after its last sign of life a process's locks are taken from it. A store has a least: etcd 2 s by default.
  std::chrono::nanoseconds lease_ttl = std::chrono::seconds{10};
  // How much before that its holders are warned: for clocks that drift apart, and for time to react. 0: a tenth of the TTL.
  std::chrono::nanoseconds drift_margin{0};
  // What a try waits for the store's answer.
  std::chrono::nanoseconds answer_within = std::chrono::seconds{2};
  // How long an update whose answer was lost is looked for before it is reported as unknown.
  std::chrono::nanoseconds resolve_within = std::chrono::seconds{30};
};

// One lease, kept alive by a thread of its own, for all locks of the process.
//
// Promises
// - CL1 The lease is renewed three times in its time, whatever the process's other threads do; a renewal that is not answered is repeated.
//   If the store says that there is no such lease another one is asked for.
// - CL2 The local deadline is counted by CLOCK_BOOTTIME from before a renewal was sent, less the margin. When it comes, or the lease is seen
//   gone, lost() of what is held with it is requested.
// - CL3 What is called by lost() runs on a second thread, which renews nothing: it may take its time.
// - CL4 The destructor gives the lease back: what is still held with it ends for the others at once. Without an answer it ends by its TTL.
// Does not promise that the lease is there when lost() says nothing, nor that it is gone when it does: only the compare of a commit proves.
// Nor anything after fork: the child has no such threads.
// Requires: `s` outlives it, and all locks of it have been destroyed before.
class session {
 public:
  // Begins to ask for a lease, and does not wait for it. Throws: std::invalid_argument (a TTL outside 100 ms to 1 h,
  // a margin of half of it or more), std::system_error (no threads).
  MORTISE_API explicit session(store& s, session_options o = {});
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  MORTISE_API ~session();

  // Waits until there is a lease, no longer than `d`. Throws: refused_error, with what the store said. For the start of a program: locks
  // wait by themselves.
  MORTISE_API void require_lease(std::chrono::nanoseconds d) const;

  // How long the lease is good yet by the local clock; 0: not.
  MORTISE_API std::chrono::nanoseconds good_for() const;

  // Its lease and all its locks, as they are now. For metrics: cluster/prometheus.hpp, cluster/json/numbers.hpp.
  MORTISE_API session_numbers counted() const;

  const std::shared_ptr<session_core>& core() const noexcept { return m_core; }

 private:
  std::shared_ptr<session_core> m_core;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
