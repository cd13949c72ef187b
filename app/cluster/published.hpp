#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <mortise/base/atomic.hpp>

namespace app::cluster {

// A value that one process shows to others, in pages that they share: a sequence lock (H.-J. Boehm, "Can seqlocks get along with programming
// language memory models?", 2012). Who is killed while he writes leaves it odd: readers then keep what they had.
template <class T>
class published {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(std::uint64_t) == 0);
  static constexpr std::size_t words = sizeof(T) / sizeof(std::uint64_t);
  using image = std::array<std::uint64_t, words>;

 public:
  // By one at a time.
  void show(const T& value) noexcept {
    const std::uint64_t n = m_sequence.load(mortise::memory_order_relaxed);
    m_sequence.store(n + 1, mortise::memory_order_relaxed);
    const auto copy = std::bit_cast<image>(value);
    // Each publishes the odd number: who sees a word of this one sees at the end that it was being written.
    for (std::size_t i = 0; i < words; ++i) m_words[i].store(copy[i], mortise::memory_order_release);
    m_sequence.store(n + 2, mortise::memory_order_release);  // <-> see's first load
  }
  // False: it is being written just now, or never was.
  bool see(T& value) const noexcept {
    const std::uint64_t n = m_sequence.load(mortise::memory_order_acquire);
    if (n == 0 || n % 2 != 0) return false;
    image copy;
    for (std::size_t i = 0; i < words; ++i) copy[i] = m_words[i].load(mortise::memory_order_acquire);
    if (m_sequence.load(mortise::memory_order_relaxed) != n) return false;
    value = std::bit_cast<T>(copy);
    return true;
  }

 private:
  mortise::atomic<std::uint64_t> m_sequence{0};
  std::array<mortise::atomic<std::uint64_t>, words> m_words{};
};

}  // namespace app::cluster
