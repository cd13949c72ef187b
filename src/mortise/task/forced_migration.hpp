#pragma once

// Forced migration (chaos::migrate): a task that comes up on the worker that ran it last is sent on to another one.
//
// Each worker has a tray, into which others put such tasks. A worker may be stuck for long in what it runs, or wait there
// for the very task in its tray; so whoever finds a task that has lain for `bound` takes it back and runs it where it was,
// which is counted. Wake ledger: as with the inbox (R1 of runtime_core): the sender counts the tray up, then looks whether
// its owner is idle; a worker counts itself idle, then looks into its tray.

#include <mortise/base/abi.hpp>

#if MORTISE_IS_CHAOS

#include <atomic>
#include <mutex>

#include <mortise/base/age_clock.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/task/task_block.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

class tray {
 public:
  static constexpr nanos bound = 50'000'000;

  void put(task_block& t) noexcept {
    const std::lock_guard hold{m_guard};
    t.next = nullptr;
    (m_first == nullptr ? m_first : m_last->next) = &t;
    if (m_size.load(std::memory_order_relaxed) == 0) m_since = age_clock_now();
    m_last = &t;
    m_size.fetch_add(1, std::memory_order_seq_cst);
  }
  bool filled() const noexcept { return m_size.load(std::memory_order_seq_cst) != 0; }
  task_block* take() noexcept { return take_if(false); }
  // What nobody has taken for too long.
  task_block* take_back() noexcept { return take_if(true); }

 private:
  task_block* take_if(bool only_old) noexcept {
    if (!filled()) return nullptr;
    const std::lock_guard hold{m_guard};
    task_block* const t = m_first;
    const nanos now = age_clock_now();
    if (t == nullptr || (only_old && now - m_since < bound)) return nullptr;
    m_first = t->next;
    m_since = now;
    m_size.fetch_sub(1, std::memory_order_seq_cst);
    return t;
  }

  os_mutex m_guard;
  task_block* m_first = nullptr;
  task_block* m_last = nullptr;
  nanos m_since = 0;  // since when nobody has come for the first
  std::atomic<unsigned> m_size{0};
};

// For tests: how often a suspended task went on elsewhere, and how often nobody else took it.
struct migrations {
  static inline std::atomic<std::uint64_t> forced{0}, taken_back{0};
};

}  // namespace mortise::inline MORTISE_ABI::task_detail

#endif
