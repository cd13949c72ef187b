#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::insight {

// A name for a lock, kept outside of it: what dumps, reports and profiles call it by.
//
//     mortise::guarded<ledger> accounts;
//     mortise::insight::named accounts_name{accounts, "accounts"};
//
// It is the name of every address within the object, so of the lock in a guarded as well. Requires: it is destroyed before the object. Cost: an
// entry in a table of the process; nothing for the lock. Tasks name themselves (this_task::name).
class named {
 public:
  static constexpr std::size_t longest = 63;  // what is longer is cut; what is not printable becomes a '?'

  // Throws: std::bad_alloc.
  template <class Lock>
  named(const Lock& lock, std::string_view name) : named{std::addressof(lock), sizeof lock, name} {}
  named(const named&) = delete;
  named& operator=(const named&) = delete;
  MORTISE_API ~named();

 private:
  MORTISE_API named(const void* begin, std::size_t size, std::string_view name);
  const void* m_begin;
};

// "'accounts' (0x7ffe4ecc1a48)", or the address alone. Dumps and reports add to that where it was waited for first, as far as they have seen it.
MORTISE_API std::string name_of(const void* lock);

}  // namespace mortise::inline MORTISE_ABI::insight
