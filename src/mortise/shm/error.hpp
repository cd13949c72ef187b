#pragma once

#include <stdexcept>
#include <string>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// What is refused, in one line: what was wrong, and what is allowed. What the operating system refuses is a std::system_error.
class MORTISE_API error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace mortise::inline MORTISE_ABI::shm
