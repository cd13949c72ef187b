#pragma once

#include <stdexcept>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// Why something at cluster scope has not come to pass. what() names the lock and the cause.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The lease or the key was gone: the change was not applied, and will not be.
class lost_error : public error {
 public:
  using error::error;
};

// No answer came, and what became of the change cannot be told: it was applied once, or not at all.
class unknown_error : public error {
 public:
  using error::error;
};

// The store would not: no permission, too large, somebody else's value under the key. Not applied.
class refused_error : public error {
 public:
  using error::error;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
