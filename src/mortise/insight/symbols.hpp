#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::insight {

// A function in the code at an address.
struct code_line {
  std::string function;  // as it is written; empty: not known
  std::string symbol;    // as it is linked
  std::string file;      // empty, and 0: not known
  int line = 0;

  bool is_plumbing() const noexcept;  // ours, or the standard library's
};

// Those at `address`: the innermost that was inlined there first. Cost: milliseconds and memory for the first one in each file.
std::vector<code_line> lines_at(std::uintptr_t address);

// How many at the front of `lines` the user did not write.
std::size_t plumbing_of(const std::vector<code_line>& lines) noexcept;

}  // namespace mortise::inline MORTISE_ABI::insight
