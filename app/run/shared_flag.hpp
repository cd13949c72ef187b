#pragma once

#include <cstdint>

#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>

namespace app {

// Is raised once, and whoever waits for it in whatever process that shares it goes on. The library's futexes are private to
// a process.
class shared_flag {
 public:
  // relaxed: each task of each process sees it at its next turn
  bool raised() const noexcept { return m_word.load(mortise::memory_order_relaxed) != 0; }
  void raise() noexcept;
  // False: the deadline has come, and it is not raised.
  bool wait_until(mortise::nanos deadline) noexcept;

 private:
  mortise::atomic<std::uint32_t> m_word{0};
};

}  // namespace app
