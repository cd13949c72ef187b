#pragma once

#include <mortise/base/abi.hpp>

#if MORTISE_IS_CHECKED

#include <cstdint>
#include <optional>
#include <vector>

#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::lock_detail {

// Who holds what, in checked builds: for each party what it has taken and not given back, in that order. A party is known by its parker, so
// that one that migrates stays the same.
struct hold {
  const void* lock;
  bool alone;  // nobody else can hold it meanwhile
  bool may_be_given_away;
  std::uint64_t number;  // of all holds; never 0
};

void took(const wait::parker& who, const void* lock, bool alone, bool may_be_given_away) noexcept;

// Takes out the last hold of `lock` that is `who`'s, whoever releases it.
std::optional<hold> gave_back(const wait::parker& who, const void* lock) noexcept;

// Cost where it holds nothing: a look into a table.
std::vector<hold> held_by(const wait::parker& who) noexcept;

}  // namespace mortise::inline MORTISE_ABI::lock_detail

#endif
