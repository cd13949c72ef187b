#pragma once

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI {

// Writes "mortise: <message>" as one line to standard error and aborts. For misuse and broken invariants
// only: what the environment does is reported as data. Uses no heap and no stdio lock, so it is safe from any
// state; the message is cut at 500 bytes.
[[noreturn]] MORTISE_API void fatal(const char* format, ...) noexcept
    __attribute__((format(printf, 1, 2), cold));

}  // namespace mortise::inline MORTISE_ABI
