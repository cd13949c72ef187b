#pragma once

// What other threads find at a lock that is held here, which is not asked of the thread that holds it.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace mortise::test {

template <class F>
auto elsewhere(F f) {
  decltype(f()) result{};
  std::jthread([&] { result = f(); }).join();
  return result;
}
template <class L>
bool may_write(L& m) {
  return elsewhere([&] {
    if (!m.try_lock()) return false;
    m.unlock();
    return true;
  });
}
template <class L>
bool may_read(L& m) {
  return elsewhere([&] {
    if (!m.try_lock_shared()) return false;
    m.unlock_shared();
    return true;
  });
}

// A reader beside a writer sees half of what that one writes.
template <class L>
void expect_that_nothing_is_lost(L& m) {
  std::uint64_t first = 0, second = 0;  // guarded by m
  std::atomic<bool> torn{false};
  {
    std::vector<std::jthread> parties;
    for (int t = 0; t < 4; ++t) {
      parties.emplace_back([&, t] {
        for (int i = 0; i < 4'000; ++i) {
          if (i % 64 == t) {
            const std::lock_guard hold{m};
            ++first;
            ++second;
          } else {
            const std::shared_lock hold{m};
            if (first != second) torn.store(true);
          }
        }
      });
    }
  }
  EXPECT_FALSE(torn.load());
  EXPECT_EQ(first, 4u * 63);
  EXPECT_EQ(second, first);
  EXPECT_TRUE(may_write(m));
}

}  // namespace mortise::test
