#pragma once

#include <map>
#include <string>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/cluster/numbers.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

class front;

// The locks of a session, and what those have been through that are no more: nothing that was counted is forgotten, or seen to become less. Its
// lock is taken before theirs.
class lock_book {
 public:
  void enter(const front& f);
  void strike(const front& f) noexcept;  // its numbers stay
  std::map<std::string, numbers> all() const;

 private:
  mutable os_mutex m_guard;
  std::vector<const front*> m_live;
  std::map<std::string, numbers> m_past;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
