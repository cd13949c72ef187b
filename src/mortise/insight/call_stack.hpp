#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::insight {

// Where the caller is: the calls that led here, innermost first, as addresses. Cost: some microseconds, and some KiB of stack; no allocation.
struct call_stack {
  static constexpr std::size_t most = 48;
  std::size_t depth = 0;
  std::array<std::uintptr_t, most> calls{};  // of the call, not of what is returned to

  static call_stack here() noexcept;

  bool operator==(const call_stack& other) const noexcept;
  std::size_t hash() const noexcept;
};

}  // namespace mortise::inline MORTISE_ABI::insight
