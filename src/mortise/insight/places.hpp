#pragma once

#include <string>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/insight/call_stack.hpp>

namespace mortise::inline MORTISE_ABI::insight {

// Lines of a stack for people: function, file and line, as far as the program has symbols (symbols.hpp). The library's own
// frames at its top are left out, and what stacks begin with.
std::vector<std::string> places_of(const call_stack& stack);

// What a lock is called: by its name, else by its address and the place where it was waited for first, if that is known.
std::string lock_text(const void* lock);

}  // namespace mortise::inline MORTISE_ABI::insight
