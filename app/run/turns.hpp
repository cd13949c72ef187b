#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <app/run/histogram.hpp>
#include <app/run/shared_pages.hpp>
#include <mortise/base/atomic.hpp>

namespace app {

// How many turns the tasks had, in between two moments.
struct turn_distribution {
  std::uint64_t least = 0, median = 0, most = 0;
  std::vector<bucket> histogram;  // of equal widths, 32 at most, none left out between the first and the last
};

turn_distribution distribute(std::vector<std::uint64_t> turns);

// The turns of each task. Only a run that is reported on keeps them: 8 bytes a task, and one more store a turn.
class turns {
 public:
  void keep(std::size_t tasks) {
    m_of = make_shared_pages<mortise::atomic<std::uint64_t>>(tasks);
    m_before.resize(tasks);
  }
  bool kept() const noexcept { return m_of != nullptr; }

  // By the task itself.
  void add(std::uint64_t task) noexcept {
    auto& own = m_of[task];
    own.store(own.load(mortise::memory_order_relaxed) + 1, mortise::memory_order_relaxed);
  }

  // From now on they count.
  void begin() {
    for (std::size_t i = 0; i < m_before.size(); ++i)
      m_before[i] = m_of[i].load(mortise::memory_order_relaxed);
  }
  std::vector<std::uint64_t> since_begin() const {
    std::vector<std::uint64_t> all(m_before.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = m_of[i].load(mortise::memory_order_relaxed) - m_before[i];
    return all;
  }

 private:
  std::unique_ptr<mortise::atomic<std::uint64_t>[], unmap> m_of;  // processes that are forked count here too
  std::vector<std::uint64_t> m_before;
};

}  // namespace app
