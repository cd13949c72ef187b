#pragma once

#include <span>
#include <string>
#include <vector>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::insight {

// Lines of a stack of return addresses for people: function, file and line, as far as the program has symbols (symbols.hpp). The library's own
// frames at its top are left out, and what stacks begin with.
std::vector<std::string> places_of(std::span<void* const> stack);

// What a lock is called: by its name, else by its address and the place where it was waited for first, if that is known.
std::string lock_text(const void* lock);

}  // namespace mortise::inline MORTISE_ABI::insight
