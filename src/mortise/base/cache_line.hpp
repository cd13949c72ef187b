#pragma once

#include <cstddef>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI {

// Bytes that move between cores together. A constant and not std::hardware_destructive_interference_size,
// whose value varies with -mtune and would then vary the layout between objects of one program.
inline constexpr std::size_t cache_line = 64;

}  // namespace mortise::inline MORTISE_ABI
