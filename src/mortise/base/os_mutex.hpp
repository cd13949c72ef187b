#pragma once

#include <mutex>

#include <mortise/base/abi.hpp>

#if MORTISE_IS_MODEL
#include <explore/os.hpp>
#endif

namespace mortise::inline MORTISE_ABI {

// For what is rare and short inside the library: pools, lists, the inbox. Part of the seam that a model checker replaces.
#if MORTISE_IS_MODEL
using os_mutex = explore::os_mutex;
#else
using os_mutex = std::mutex;
#endif

}  // namespace mortise::inline MORTISE_ABI
