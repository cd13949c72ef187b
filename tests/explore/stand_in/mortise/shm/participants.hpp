#pragma once

// For models of what is above it: this process takes part.

#include <cstdint>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::shm {

using participant_id = std::uint32_t;

class participants {
 public:
  static participant_id me() noexcept { return 1; }
  static participant_id me_if_joined() noexcept { return 1; }
};

}  // namespace mortise::inline MORTISE_ABI::shm
