#pragma once

#include <array>
#include <cstdint>

#include <mortise/base/atomic.hpp>
#include <mortise/base/cache_line.hpp>
#include <mortise/task/task_block.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

// The runnable tasks of one worker: an array walked in order by its owner, from which idle workers steal.
//
// 1. Promise     each task pushed is popped or stolen exactly once; first in, first out. push, pop: owner
//                only, wait-free but for a thief's interference; steal: any thread, lock-free
// 2. Word        m_head, m_tail: exact; entries [head, tail) are filled; both only grow (32 bits,
//                differences count)
// 3. States      push: tail + 1; pop, steal: head + n by CAS
// 4. Invariants  I1: tail is changed by the owner only; I2: tail - head <= capacity, since push looks at
//                head first
// 5. Orderings   Q1 push's release store of tail <-> the acquire load of tail in steal: the entry and the
//                   task behind it
//                Q2 the release CAS of head <-> push's acquire load of head: an entry is read before it is
//                   overwritten
//                Q3 the owner reads its own tail relaxed. Entries are relaxed atomics: a thief may read
//                   one that is being overwritten, and its CAS then fails (but for one that stops for exactly 2^32
//                   tasks in between)
//                aarch64: a head older than the tail, or newer, is possible; the difference is checked against capacity
// 6. Last touch  a queue lives as long as its runtime; 7. Wake ledger: none here, see worker.cpp
// 8. Evidence    run_queue_model.cpp, run_queue_test.cpp. Source: the local run queue of Go's scheduler
class run_queue {
 public:
  static constexpr std::uint32_t capacity = MORTISE_IS_MODEL ? 8 : 1024;

  std::uint32_t size() const noexcept {
    return m_tail.load(memory_order_relaxed) - m_head.load(memory_order_relaxed);  // relaxed: an estimate
  }
  std::uint32_t room() const noexcept {
    return capacity - (m_tail.load(memory_order_relaxed) - m_head.load(memory_order_acquire));  // Q2, Q3
  }

  // Owner. False: full.
  bool push(task_block& t) noexcept {
    const std::uint32_t tail = m_tail.load(memory_order_relaxed);            // Q3
    if (tail - m_head.load(memory_order_acquire) == capacity) return false;  // Q2
    m_entries[tail % capacity].store(&t, memory_order_relaxed);              // Q3
    m_tail.store(tail + 1, memory_order_release);                            // Q1
    return true;
  }

  // Owner. Null: empty.
  task_block* pop() noexcept {
    std::uint32_t head = m_head.load(memory_order_relaxed);
    for (;;) {
      if (head == m_tail.load(memory_order_relaxed)) return nullptr;  // Q3
      task_block* const t = m_entries[head % capacity].load(memory_order_relaxed);
      // Q2; relaxed on failure: the loop looks again
      if (m_head.compare_exchange_weak(head, head + 1, memory_order_release, memory_order_relaxed)) return t;
    }
  }

  // Any other thread: moves half of the tasks, the oldest, into `mine`, which is empty. Returns how many.
  std::uint32_t steal_into(run_queue& mine) noexcept {
    std::uint32_t head = m_head.load(memory_order_acquire);
    for (;;) {
      const std::uint32_t filled = m_tail.load(memory_order_acquire) - head;  // Q1
      if (filled == 0) return 0;
      if (filled > capacity) {  // head was read long before tail
        head = m_head.load(memory_order_acquire);
        continue;
      }
      const std::uint32_t n = filled - filled / 2;
      const std::uint32_t tail = mine.m_tail.load(memory_order_relaxed);  // Q3, the thief's own
      for (std::uint32_t i = 0; i < n; ++i) {
        mine.m_entries[(tail + i) % capacity].store(
            m_entries[(head + i) % capacity].load(memory_order_relaxed), memory_order_relaxed);
      }
      if (m_head.compare_exchange_weak(head, head + n, memory_order_acq_rel, memory_order_acquire)) {  // Q2
        mine.m_tail.store(tail + n, memory_order_release);                                             // Q1
        return n;
      }
    }
  }

  // Owner: the task that will be popped after `k` others, if it is still there. For prefetching only.
  const task_block* peek(std::uint32_t k) const noexcept {
    const std::uint32_t at = m_head.load(memory_order_relaxed) + k;
    if (static_cast<std::int32_t>(m_tail.load(memory_order_relaxed) - at) <= 0) return nullptr;
    return m_entries[at % capacity].load(memory_order_relaxed);
  }

  // Owner of the head's progress, as a hint for thieves.
  std::uint32_t head() const noexcept { return m_head.load(memory_order_relaxed); }

 private:
  alignas(cache_line) atomic<std::uint32_t> m_head{0};
  alignas(cache_line) atomic<std::uint32_t> m_tail{0};
  std::array<atomic<task_block*>, capacity> m_entries{};
};

}  // namespace mortise::inline MORTISE_ABI::task_detail
