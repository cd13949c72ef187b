#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace explore {

inline constexpr unsigned most_threads = 8;

// How far into each thread's operations something has seen.
struct vector_clock {
  std::array<std::uint32_t, most_threads> at{};

  std::uint32_t& operator[](unsigned thread) noexcept { return at[thread]; }
  std::uint32_t operator[](unsigned thread) const noexcept { return at[thread]; }
  void join(const vector_clock& o) noexcept {
    for (unsigned i = 0; i < most_threads; ++i) at[i] = std::max(at[i], o.at[i]);
  }
  // The first thread of which `o` has not seen all that this has, or most_threads.
  unsigned beyond(const vector_clock& o) const noexcept {
    for (unsigned i = 0; i < most_threads; ++i) {
      if (at[i] > o.at[i]) return i;
    }
    return most_threads;
  }
};

// A 64-bit finaliser (splitmix64, Vigna 2015), folded over its arguments.
constexpr std::uint64_t mixed(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}
template <class... More>
constexpr std::uint64_t mixed(std::uint64_t x, std::uint64_t y, More... more) noexcept {
  return mixed(mixed(x) ^ y, static_cast<std::uint64_t>(more)...);
}

}  // namespace explore
