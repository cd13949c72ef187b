#pragma once

#include <mortise/base/abi.hpp>

// The kernel's process-wide memory barrier. Part of the seam that a model checker replaces.
namespace mortise::inline MORTISE_ABI {

// Registers this process for it, once. False: the kernel or a sandbox refuses, and whoever relies on it must do without.
MORTISE_API bool membarrier_available() noexcept;

// Every thread of this process has executed a full barrier between the call and the return. Cost: 0.3 to 3 us.
// Requires: membarrier_available().
MORTISE_API void membarrier() noexcept;

}  // namespace mortise::inline MORTISE_ABI
