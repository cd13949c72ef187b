#pragma once

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::wait {

// What more is known of what is waited for than where it lies (subject.hpp).
struct particulars {
  char name[72] = "";         // empty: it has none
  unsigned long process = 0;  // that holds it; 0: not known
};

}  // namespace mortise::inline MORTISE_ABI::wait
