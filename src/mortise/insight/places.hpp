#pragma once

#include <span>
#include <string>
#include <vector>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::insight {

// What stands at an address of code: function, file and line, as far as the program has symbols. elfutils' libdw reads them; it is loaded when
// it is needed first, and where the system has none there are exported names only.
std::string place_of(void* return_address);

// Those of a stack that are the program's own: the library's own frames at its top are left out.
std::vector<std::string> places_of(std::span<void* const> stack);

}  // namespace mortise::inline MORTISE_ABI::insight
