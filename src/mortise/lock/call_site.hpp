#pragma once

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI {

// Where a call stands, in checked builds; empty otherwise, so that it costs no byte in a coroutine frame.
struct call_site {
#if MORTISE_IS_CHECKED
  const char* file = "";
  unsigned line = 0;
  static constexpr call_site current(const char* f = __builtin_FILE(),
                                     unsigned l = __builtin_LINE()) noexcept {
    return {f, l};
  }
#else
  static constexpr call_site current() noexcept { return {}; }
#endif
};

}  // namespace mortise::inline MORTISE_ABI
