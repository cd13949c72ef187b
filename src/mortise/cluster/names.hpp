#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <mortise/base/abi.hpp>
#include <mortise/cluster/store.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// The keys of one lock:
//
//   NAME//q/LEASE.SERIAL   somebody holds it or waits for it: a queue, ordered by when they were created
//   NAME//f/LEASE.SERIAL   a fence, changed to make requests that are under way fail (transactions.hpp)
//   NAME//v                the value of a guarded
class lock_names {
 public:
  // Throws std::invalid_argument: 1 to 200 bytes, no "//", no "/" at either end, no control characters.
  MORTISE_API explicit lock_names(std::string_view name);

  const std::string& name() const noexcept { return m_name; }
  std::string queue() const { return m_name + "//q/"; }
  std::string in_queue(lease_id lease, std::uint64_t serial) const { return queue() + of(lease, serial); }
  std::string fence(lease_id lease, std::uint64_t serial) const {
    return m_name + "//f/" + of(lease, serial);
  }
  std::string value() const { return m_name + "//v"; }
  // A key in the queue.
  bool is_of(lease_id lease, std::string_view key) const;

 private:
  MORTISE_API static std::string of(lease_id lease, std::uint64_t serial);
  std::string m_name;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
