// Permits in one word, those who wait for them in another.
//
// 1. Promise     semaphore.hpp, Q1 to Q6
// 2. Word        m_state: permits, exact. QUEUED: somebody is in the queue, or about to be; may over-report for the length of a section.
//                RESERVED: the first in the queue insists, so nobody takes a permit past it. Both are changed in a section only.
//                RELEASING: how many releases have given and not yet told; exact
// 3. States      permits > 0 --acquire--> one less; 0 --acquire--> QUEUED, the caller sleeps; --release--> more, and who is told claims
// 4. Invariants  I1: permits and a queue => so many of those in it have been told, or most_told, or all; or they are overdue and the warden looks;
//                or a release is RELEASING
//                I2: not QUEUED => the queue is empty, but for the moment in a section
// 5. Orderings   O1 taking a permit is an acquire RMW. O2 giving some is a release RMW. Every change of m_state is an RMW, so the
//                chain from each release to who takes what it gave is never broken
//                O3 loads before a CAS are relaxed: the CAS checks what they saw
//                O4 who queues sets QUEUED and sees the permits in one RMW, who releases gives and sees QUEUED in one: one of the two
//                sees the other
// 6. Last touch  release: the RMW that gives, or, where somebody waits, the one that takes RELEASING back, for which the
//                destructor waits. Who waited: the end of its section
// 7. Wake ledger who gives with QUEUED owes as many wakes; who takes one while more are there passes a wake on (claim), and so does
//                who leaves. Who came in vain owes nothing
// 8. Evidence    semaphore_model.cpp, semaphore_test.cpp, tests/conformance
#include <mortise/lock/semaphore.hpp>

#include <algorithm>

#include <mortise/base/fatal.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/base/probe.hpp>

namespace mortise::inline MORTISE_ABI {

outcome semaphore_core::take(const wait::bound& until) noexcept {
  if (wait::budget_left() < 0) wait::refill_budget();
  if (const auto how = until.ended()) return try_take() ? outcome::acquired : *how;
  return wait::wait_for(one_permit{*this}, until);
}

bool semaphore_core::take_or_queue(wait::waiter& n) noexcept {
  wait::queue::section in{m_queue};
  std::uint64_t s = m_state.fetch_or(queued, memory_order_relaxed) | queued;  // O4
  while ((s & permits) != 0 && (s & reserved) == 0) {
    if (m_state.compare_exchange_weak(s, s - permit, memory_order_acquire, memory_order_relaxed)) {  // O1
      left(in);
      return true;
    }
  }
  in.push_back(n);
  return false;
}

bool semaphore_core::claim(wait::waiter& n) noexcept {
  if (!n.queued()) return take_or_queue(n);  // a coroutine that yielded first
  wait::offer next;
  {
    wait::queue::section in{m_queue};
    const unsigned before =
        in.head() == &n ? 0 : wait::queue::section::expected_before(in.head(), n, age_clock_now());
    std::uint64_t s = m_state.load(memory_order_relaxed);  // O3
    do {
      if ((s & permits) == 0 || ((s & reserved) != 0 && before >= (s & permits))) {
        in.came_in_vain(n);
        left(in);
        return false;
      }
    } while (
        !m_state.compare_exchange_weak(s, s - permit, memory_order_acquire, memory_order_relaxed));  // O1
    in.remove(n, this);
    left(in);
    tell(in, next);  // keeps I1
  }
  next.wake();
  MORTISE_PROBE(acquired, this, n.who);
  return true;
}

void semaphore_core::leave(wait::waiter& n) noexcept {
  wait::offer next;
  {
    wait::queue::section in{m_queue};
    in.remove(n, this);
    left(in);
    tell(in, next);  // keeps I1
  }
  next.wake();
}

// What m_state says of the queue, after it has changed.
void semaphore_core::left(const wait::queue::section& in) noexcept {
  const bool insists = in.head() != nullptr && in.head()->insists;
  const std::uint64_t now = (in.head() != nullptr ? queued : 0) | (insists ? reserved : 0);
  const std::uint64_t before =
      m_state.load(memory_order_relaxed) & (queued | reserved);  // changed in a section only
  if (now != before)
    m_state.fetch_xor(now ^ before,
                      memory_order_relaxed);  // relaxed: publishes nothing; continues the chain (O2)
}

// Tells as many as there are permits, and no more than may be on their way: who comes tells those behind.
bool semaphore_core::tell(wait::queue::section& in, wait::offer& next) noexcept {
  const std::uint64_t there = m_state.load(memory_order_relaxed) & permits;  // O3
  return in.tell(next, std::min(there, wait::most_told), this, &semaphore_core::examine);
}

void semaphore_core::give(std::ptrdiff_t n, std::ptrdiff_t max) noexcept {
  std::uint64_t s = m_state.load(memory_order_relaxed);  // O3
  std::uint64_t after = 0;
  do {
    if (n < 0 || n > max - static_cast<std::ptrdiff_t>(s & permits)) {
      fatal("release(%td) of the semaphore at %p, which has %td permits: it may have %td at most", n,
            static_cast<void*>(this), static_cast<std::ptrdiff_t>(s & permits), max);
    }
    after = s + static_cast<std::uint64_t>(n) + ((s & queued) != 0 ? releasing : 0);
  } while (!m_state.compare_exchange_weak(s, after, memory_order_release, memory_order_relaxed));  // O2, O4
  if ((s & queued) == 0) return;
  bool gives_way = false;
  for (bool more = true; more;) {
    wait::offer next;
    {
      wait::queue::section in{m_queue};
      more = tell(in, next);
      gives_way = wait::budget_is_unlimited() && in.first_lacks_a_core();
    }
    if (!more)
      m_state.fetch_sub(releasing, memory_order_release);  // the last touch: the destructor's acquire sees it
    next.wake();
  }
  if (gives_way) yield_this_thread();
}

void semaphore_core::wait_for_releases() const noexcept {
  for (int turns = 0; (m_state.load(memory_order_acquire) & releases) != 0;) spin_for_another(turns);
}

// The warden's look, see warden.hpp.
void semaphore_core::examine(void* self, wait::offer& next) noexcept {
  auto& me = *static_cast<semaphore_core*>(self);
  wait::queue::section in{me.m_queue, wait::queue::section::try_it{}};
  if (in.entered()) me.tell(in, next);
}

}  // namespace mortise::inline MORTISE_ABI
