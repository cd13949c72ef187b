#pragma once

#include <mortise/base/atomic.hpp>
#include <mortise/base/os_thread.hpp>

namespace mortise::inline MORTISE_ABI {

// One turn of waiting for what another thread does within some ten instructions, unless it lost the core: hence the kernel
// is asked now and then to run others. For a model checker it is a wait for the value that was just read to change.
inline void spin_for_another(int& turns) noexcept {
#if MORTISE_IS_MODEL
  static_cast<void>(turns);
  explore::await_change();
#else
  if (++turns % 64 == 0) {
    yield_this_thread();
  } else {
    cpu_relax();
  }
#endif
}

}  // namespace mortise::inline MORTISE_ABI
