// A count in one word, those who wait in another.
//
// Orderings  O1 going on is an acquire load that finds the count 0 <-> O2 each count_down is a release RMW; all changes of the word are
//               RMWs, so the chain from every count_down to whoever finds 0 is never broken
//            O3 who queues sets QUEUED and sees the count in one RMW, who reaches 0 sees QUEUED in his: one sees the other
// Last touch count_down: its RMW, or, where somebody waits, the one that takes RELEASING back, for which the destructor waits.
// Wakes      who reaches 0 owes a wake to all in the queue. Nothing is taken, so who leaves owes nothing.
#include <mortise/lock/latch.hpp>

#include <mortise/base/fatal.hpp>

namespace mortise::inline MORTISE_ABI {

using section = wait::queue::section;

void latch::count_down(std::ptrdiff_t n) noexcept {
  std::uint64_t s = m_state.load(memory_order_relaxed);
  std::uint64_t after = 0;
  do {
    const auto left = static_cast<std::ptrdiff_t>(s & count);
    if (n < 0 || n > left) {
      fatal("count_down(%td) of the latch at %p, of which %td are left: it never gets below 0", n,
            static_cast<void*>(this), left);
    }
    after = s - static_cast<std::uint64_t>(n);
    if (n != 0 && n == left && (s & queued) != 0) after |= releasing;
  } while (!m_state.compare_exchange_weak(s, after, memory_order_acq_rel, memory_order_relaxed));  // O2, O3
  if ((after & releasing) == 0 || (s & releasing) != 0) return;
  for (bool more = true; more;) {
    wait::offer next;
    {
      section in{m_queue};
      more = in.tell_all(next);
    }
    if (!more) m_state.fetch_and(~releasing, memory_order_release);  // the destructor's acquire
    next.wake();
  }
}

outcome latch::wait_for(const wait::bound& until) noexcept {
  if (const auto how = until.ended()) return try_wait() ? outcome::acquired : *how;
  return wait::wait_for(zero{*this}, until);
}

bool latch::done_or_queue(wait::waiter& n) noexcept {
  section in{m_queue};
  if ((m_state.fetch_or(queued, memory_order_acquire) & count) == 0) return true;  // O1, O3
  in.push_back(n);
  return false;
}

bool latch::claim(wait::waiter& n) noexcept {
  if (!n.queued()) return done_or_queue(n);  // a coroutine that yielded first
  if (!try_wait()) return false;
  leave(n);
  return true;
}

void latch::leave(wait::waiter& n) noexcept {
  section in{m_queue};
  in.remove(n, this);
}

void latch::going_away() noexcept {
  for (int turns = 0; (m_state.load(memory_order_acquire) & releasing) != 0;) spin_for_another(turns);
  const section none_is_under_way{m_queue};
}

}  // namespace mortise::inline MORTISE_ABI
