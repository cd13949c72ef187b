#pragma once

#include <array>

#include <mortise/base/age_clock.hpp>
#include <mortise/base/chaos.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI::wait {

// How long one who was told to come is waited for before the next is told too.
inline constexpr nanos offer_bound = 4'000'000;

// From when on a waiter is not passed any more: it has waited that long, has come when it was told, and found nothing.
inline constexpr nanos patience = 1'000'000;

// How long a thread goes on past one that was told, before it gives its core away. Some thousand short sections; while fewer than ten threads take turns nobody waits for a millisecond. EPYC Zen 4 under KVM, 2 cores,
// November 2026, bench contended: with 50 us 8 threads did a third less sections.
inline constexpr nanos turn = 100'000;

// Whom an unlock wakes. An OS thread is told alone. Fibers and coroutines are told up to `batch` ahead of
// their turn: they then lie in the waking worker's run queue in their order, and the lock and its data stay
// on that core from one to the next instead of paying a wake for each.
class offer {
 public:
  // Under the queue lock: if nobody is expected, tells those at the front of the queue. Keeps their parkers, so
  // that `wake` needs neither queue nor lock. While the first is expected this costs one load: the next batch is
  // told when the last one has had its turn.
  void choose(waiter* head, nanos now) noexcept {
    for (waiter* n = head; n != nullptr && m_count < batch; n = n->next) {
      if (n->offered != 0) {
        if (now - n->offered < offer_bound) return;
        continue;  // overdue, whoever it is: the others must not wait for it
      }
      const bool alone = n->who->runs_by_itself();
      if (alone && m_count != 0) return;
      n->offered = now;
      m_who[m_count++] = n->who;
      if (alone) return;
    }
  }

  // Under the queue lock: tells this one. False: no room, `wake` first.
  bool tell(waiter& n, nanos now) noexcept {
    if (m_count == batch) return false;
    n.offered = now;
    m_who[m_count++] = n.who;
    return true;
  }

  bool is_full() const noexcept { return m_count == batch; }

  // After all internal locks have been left.
  void wake() const noexcept {
    for (unsigned i = 0; i < m_count; ++i) {
      chaos_point(chaos::delay);
      m_who[i]->unpark();
    }
  }

 private:
  // EPYC Zen 5, November 2026, 110,000 fibers on two workers (mortise bench P3).
  static constexpr unsigned batch = 16;
  std::array<parker*, batch> m_who;
  unsigned m_count = 0;
};

// Whether a reserved lock is for `n`: it was told, and so were all before it, too long ago to be waited for.
inline bool next_in_turn(const waiter* head, const waiter& n, nanos now) noexcept {
  if (n.offered == 0) return false;
  for (const waiter* before = head; before != &n; before = before->next) {
    if (before->offered == 0 || now - before->offered < offer_bound) return false;
  }
  return true;
}

inline bool next_in_turn(const waiter* head, const waiter& n) noexcept {
  return head == &n ? n.offered != 0 : next_in_turn(head, n, age_clock_now());
}

}  // namespace mortise::inline MORTISE_ABI::wait
