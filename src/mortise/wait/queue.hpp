#pragma once

#include <cstdint>

#include <mortise/base/abi.hpp>
#include <mortise/base/age_clock.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/pointer_bits.hpp>
#include <mortise/base/spin.hpp>
#include <mortise/wait/offer.hpp>
#include <mortise/wait/waiter.hpp>
#include <mortise/wait/warden.hpp>

namespace mortise::inline MORTISE_ABI::wait {

// Whether `n` was told too long ago to be waited for: one that may never run. The system runs a thread some day, busy as it may be.
inline bool is_overdue(const waiter& n, nanos now) noexcept {
  return n.offered != 0 && now - n.offered >= offer_bound && !n.who->runs_by_itself();
}

// So many of a crowd are told ahead of each other: whoever comes tells those behind, and walks along those who are on their way. All at once, 16,000
// readers of a shared_mutex took 8 s to come in, with 64 0.03 s (November 2026).
inline constexpr std::uint64_t most_told = MORTISE_IS_MODEL ? 2 : 64;

// The first goes behind the last, with all that it says of itself.
inline waiter* rotate(waiter* head) noexcept {
  waiter* const second = head->next;
  if (second == nullptr) return head;
  head->prev->next = head;  // the tail's; and head->prev is the one before it then
  head->next = nullptr;
  second->prev = head;
  return second;
}

// Those who wait for one lock that keeps what they wait for in a word of its own (semaphore, shared_mutex, latch); the mutex has a
// queue in its only word.
//
// 1. Promise     what is done in a section is done by one at a time; the order of arrival is kept
// 2. Word        LOCK exact; held for some ten instructions and a walk along those who are expected, never across a wait
//                WATCHED exact: the lock is on the warden's list. Changed under LOCK
//                head, exact while LOCK is not set: the first waiter
// 3. States      free --section--> LOCK --end of section--> free
// 4. Invariants  I1: while LOCK is set nobody else changes the word. I2: WATCHED => the queue is not empty
//                I3: a waiter is in the queue <=> its `since` is set
// 5. Orderings   O1 taking LOCK is an acquire, giving it up a release: the links and the waiters' fields
// 6. Last touch  the store that ends a section. Whoever owns the queue sees to it that it exists until then
// 7. Wake ledger none here: who tells a waiter (tell) owes it a wake after the section
// 8. Evidence    lock/semaphore_model.cpp, lock/shared_mutex_model.cpp, and the tests beside them
class queue {
 public:
  constexpr queue() noexcept = default;
  queue(const queue&) = delete;
  queue& operator=(const queue&) = delete;

  class section;

  // Somebody may be in it; false: nobody whose arrival the caller knows of. Without the lock.
  bool seems_empty() const noexcept { return (m_word.load(memory_order_relaxed) & ~flags) == 0; }

 private:
  static constexpr std::uint64_t locked = 1;
  static constexpr std::uint64_t watched = 2;
  static constexpr std::uint64_t flags = 7;  // where a waiter's address has zeros
  atomic<std::uint64_t> m_word{0};
};

// The queue lock, held while it lives.
class queue::section {
 public:
  // Waits for it.
  explicit section(queue& q) noexcept : m_queue{q} {
    int turns = 0;
    std::uint64_t w = q.m_word.load(memory_order_relaxed);
    while (!try_enter(w)) {
      if ((w & locked) == 0) continue;  // its head has changed
      spin_for_another(turns);
      w = q.m_word.load(memory_order_relaxed);
    }
  }
  // Does not: check with entered(). For the warden.
  struct try_it {};
  section(queue& q, try_it) noexcept : m_queue{q} {
    std::uint64_t w = q.m_word.load(memory_order_relaxed);
    try_enter(w);
  }
  section(const section&) = delete;
  section& operator=(const section&) = delete;
  ~section() {
    if (m_entered)
      m_queue.m_word.store(reinterpret_cast<std::uint64_t>(m_head) | m_watched, memory_order_release);  // O1
  }

  bool entered() const noexcept { return m_entered; }
  waiter* head() const noexcept { return m_head; }

  void push_back(waiter& n) noexcept {
    require_pointer_bits(&n, "a waiter");
    n.offered = 0;
    n.insists = false;
    n.since = age_clock_now();
    m_head = wait::push_back(m_head, n);
  }

  // For one who was first before.
  void push_front(waiter& n) noexcept {
    n.offered = 0;
    n.since = age_clock_now();
    m_head = wait::push_front(m_head, n);
  }

  void remove(waiter& n, void* lock) noexcept {
    m_head = wait::remove(m_head, n);
    if (m_head != nullptr || m_watched == 0) return;
    unwatch(lock);  // keeps I2
    m_watched = 0;
  }

  // How many of those before `n` are still to be waited for.
  static unsigned expected_before(const waiter* head, const waiter& n, nanos now) noexcept {
    unsigned expected = 0;
    for (const waiter* before = head; before != &n; before = before->next) {
      if (!is_overdue(*before, now)) ++expected;
    }
    return expected;
  }

  // Tells so many at the front to come, less those that are on their way. One who is overdue does not count. Where some cannot be
  // relied on to come, the warden looks after those behind. True: `next` is full, and more are to be told.
  bool tell(offer& next, std::uint64_t many, void* lock, examine_lock examine) noexcept {
    const nanos now = age_clock_now();
    for (waiter* n = m_head; n != nullptr && many != 0; n = n->next) {
      if (n->offered != 0) {
        if (!is_overdue(*n, now)) --many;
        continue;
      }
      if (!next.tell(*n, now)) return true;
      --many;
      if (examine != nullptr && m_watched == 0 && !n->who->runs_by_itself() && watch(lock, examine))
        m_watched = watched;
    }
    return false;
  }

  // Tells all that are there, of whom none waits for another one to come first. Who was told goes to the back, so nobody is walked past: 16,000 fibers
  // at a latch took 0.2 s. Requires: nobody queues any more. True: as tell.
  bool tell_all(offer& next) noexcept {
    const nanos now = age_clock_now();
    for (; m_head != nullptr && m_head->offered == 0; m_head = wait::rotate(m_head)) {
      if (!next.tell(*m_head, now)) return true;
    }
    return false;
  }

  // The first in the queue comes by itself, without having been told, and may never run.
  void guard(void* lock, examine_lock examine) noexcept {
    if (m_head->next == nullptr || m_head->who->runs_by_itself() || m_watched != 0) return;
    if (watch(lock, examine)) m_watched = watched;
  }

  // The first in the queue is a thread that was told a turn ago and has not come: the system may not have a core for it.
  bool first_lacks_a_core() const noexcept {
    return m_head != nullptr && m_head->offered != 0 && m_head->who->runs_by_itself() &&
           age_clock_now() - m_head->offered >= turn;
  }

  // `n` came, and nothing was to be had.
  void came_in_vain(waiter& n) noexcept {
    n.offered = 0;
    n.insists = age_clock_now() - n.since >= patience;
  }

 private:
  // Unless the word is not `w` any more, or locked; then `w` is what it is.
  bool try_enter(std::uint64_t& w) noexcept {
    // relaxed on failure: looks again
    m_entered = (w & locked) == 0 && m_queue.m_word.compare_exchange_strong(
                                         w, w | locked, memory_order_acquire, memory_order_relaxed);  // O1
    if (!m_entered) return false;
    m_head = reinterpret_cast<waiter*>(w & ~flags);
    m_watched = w & watched;
    return true;
  }

  queue& m_queue;
  waiter* m_head = nullptr;
  std::uint64_t m_watched = 0;
  bool m_entered = false;
};

}  // namespace mortise::inline MORTISE_ABI::wait
