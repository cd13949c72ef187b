#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// The same in every process, whichever compiler and library made it, as std::hash is not. For keys whose equal values are equal bytes
// (integers, enumerations, arrays and structs of these without padding); for others write one: a function object with `operator()(const
// K&) const` that returns 64 bits.
struct hash_of_bytes {
  template <class K>
    requires std::has_unique_object_representations_v<K>
  std::uint64_t operator()(const K& key) const noexcept {
    std::uint64_t h = sizeof(K);
    if constexpr (sizeof(K) <= 8) {
      std::memcpy(&h, std::addressof(key), sizeof(K));
    } else {
      std::uint64_t part = 0;
      const auto* at = reinterpret_cast<const unsigned char*>(std::addressof(key));
      for (std::size_t left = sizeof(K); left > 0;) {
        const std::size_t now = std::min<std::size_t>(left, 8);
        std::memcpy(&part, at, now);
        h = mixed(h ^ part);
        at += now;
        left -= now;
      }
    }
    return mixed(h);
  }

  // MurmurHash3's finaliser. Source: A. Appleby, 2011
  static constexpr std::uint64_t mixed(std::uint64_t h) noexcept {
    h ^= h >> 33;
    h *= 0xff51'afd7'ed55'8ccd;
    h ^= h >> 33;
    h *= 0xc4ce'b9fe'1a85'ec53;
    return h ^ h >> 33;
  }
};

}  // namespace mortise::inline MORTISE_ABI::shm
