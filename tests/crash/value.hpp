#pragma once

// A value that shows whether it is whole: each word of it follows from the first one.

#include <cstddef>
#include <cstdint>

namespace crash {

inline std::uint64_t mixed(std::uint64_t x) noexcept {  // splitmix64's
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

template <std::size_t Bytes>
struct sealed {
  std::uint64_t word[Bytes / 8];

  friend bool operator==(const sealed&, const sealed&) = default;
};

template <std::size_t Bytes>
void seal(sealed<Bytes>& v, std::uint64_t stamp) noexcept {
  v.word[0] = stamp;
  for (std::size_t i = 1; i < Bytes / 8; ++i) v.word[i] = mixed(stamp + i);
}

template <std::size_t Bytes>
sealed<Bytes> sealed_with(std::uint64_t stamp) noexcept {
  sealed<Bytes> v;
  seal(v, stamp);
  return v;
}

}  // namespace crash
