#pragma once

// What parent and children tell each other in a test: flags in memory that they share, waited for within a bound that only a
// hang reaches.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include <support/forked.hpp>

#include "child.hpp"

namespace crash {

inline constexpr std::chrono::seconds long_enough{20};

class flags {
 public:
  void raise(unsigned i) const noexcept { m_shared->flag[i].store(true); }
  bool is_up(unsigned i) const noexcept { return m_shared->flag[i].load(); }
  bool wait_for(unsigned i) const noexcept {
    const auto until = std::chrono::steady_clock::now() + long_enough;
    while (!is_up(i)) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::microseconds{100});
    }
    return true;
  }
  std::atomic<std::uint64_t>& number(unsigned i = 0) const noexcept { return m_shared->number[i]; }

 private:
  struct area {
    std::atomic<bool> flag[16];
    std::atomic<std::uint64_t> number[16];
  };
  mortise::test::shared_with_children<area> m_shared;
};

}  // namespace crash
