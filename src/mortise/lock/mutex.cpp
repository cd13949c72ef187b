// The slow paths of mortise::mutex.
//
// 1. Promise
//    Safety: one holder. Progress: an unlock with waiters wakes one of them, unless a wake is in flight. Fairness: bargers
//    may pass the queue until its head has waited `patience` (1 ms), came when it was told and found the lock taken. Then
//    it insists: the next unlock reserves the lock for it. Until then who has the lock keeps it for as long as it likes to
//    take it again, so that it runs some thousand sections on one core while the next one gets ready: with 100 threads that
//    do nothing else 54 million a second instead of 2 (a wake for each), std::mutex 32 (bench contended, November 2026).
//
// 2. Word (8 bytes)
//    HELD        exact. Set by whoever takes the lock, cleared by its unlock. With STARVING the first byte, which a fast lock
//                sets from 0 and a fast unlock clears if the second byte is 0 (base/restartable.hpp).
//    STARVING    a free lock is reserved for waiters that were offered it, in their order. Exact when the
//                lock becomes free, may over-report while it is held. Changed by the owner of the queue
//                lock only; not set without a queue.
//    QUEUE_LOCK  exact. Its owner alone reads and writes the queue; held for some ten instructions, never
//                across a wait.
//    TOLD        may over-report while the first in the queue is on its way, exact else: its wake is in flight, or it is awake and
//                stands by. An unlock owes nothing. Changed by the owner of the queue lock, cleared with CONTENDED.
//    CONTENDED   where sequences are in use, elsewhere always 0. Unlocks go by RMW. Set by who takes the queue lock, cleared
//                by an unlock after some that owed nothing, counted in QUIET (under-reports). Without it a queue is TOLD.
//    WATCHED     exact: the lock is on the warden's list. Changed by the owner of the queue lock only.
//    head        exact while the queue lock is free: the first waiter; the queue is linked through the
//                waiters. 48 bits of its address, and no more may there be (base/pointer_bits.hpp); the lowest three are 0.
//
// 3. States: free 0, held HELD, waited HELD|head, offered head (a wake is in flight, anybody may take the
//    lock), reserved head|STARVING (a wake is in flight, only those offered may take it)
//      free      lock -> held
//      held      unlock -> free; lock -> waited, the caller sleeps
//      waited    lock -> waited; timeout, abandoned frame -> waited or held; unlock -> offered or
//                reserved, wakes one unless one is TOLD
//      offered   lock -> waited (barges); claim -> held or waited; abandon -> offered, the wake is passed
//                on, or free
//      reserved  lock -> reserved, the caller sleeps; claim by one who was offered -> held or waited;
//                timeout, abandon -> reserved, passed on, or free; an offer not taken up for offer_bound
//                -> widened
//
// 4. Invariants
//    I1  while QUEUE_LOCK is set the head and the flags are changed by its owner only; others may only set
//        HELD, and only if neither HELD nor STARVING is set. So a word with QUEUE_LOCK and one of these
//        two is the owner's alone.
//    I2  queue not empty and not HELD  =>  a waiter in it has been offered the lock since it last looked
//        (its wake is in flight), or is overdue and the lock is WATCHED, or the waiters offered are OS
//        threads.
//    I3  a waiter is in the queue  <=>  its `since` is set; it is taken out by itself only (claim, leave).
//    I4  WATCHED  =>  the queue is not empty, so the mutex exists.
//    I5  where sequences are in use: QUEUE_LOCK, or a queue that is not TOLD  =>  CONTENDED, and no sequence that began before
//        CONTENDED was set is under way, but for the moment in try_queue_lock. So a sequence, which looks at the second byte, clears
//        HELD of a word whose unlock owes nothing, as the RMW does.
//    I6  the head insists  =>  it is not TOLD, so the next unlock sees it
//
// 5. Orderings
//    O1  lock's CAS is an acquire <-> O2: the section before is seen. Relaxed on failure: nothing is read
//        on its strength.
//    O2  unlock's sequence or CAS, or its store in unlock_slow, is a release: publishes the section. Every later
//        change of the word is an RMW or a release store by a party that acquired the word before, so the
//        chain to the next O1 never breaks.
//    O3  taking the queue lock is an acquire, giving it up a release: the queue's links and the waiters'
//        fields.
//    O4  loads before a CAS are relaxed: the CAS checks what they saw.
//    aarch64: a plain store that gives up the queue lock ends the release sequence of the unlock before, so whoever
//    makes it must have acquired, which taking the queue lock did.
//    O5  Dekker, for unlocks by sequence: the unlocker looks at the second byte, then clears HELD; who queues sets CONTENDED,
//        then looks at HELD, in try_queue_lock. interrupt_all is the barrier of both and ends sequences under way: one that had cleared HELD is
//        seen, none clears it afterwards. The look is relaxed: the lock is taken by O1. All else needs no Dekker: who queues
//        publishes itself and checks HELD in one and the same word.
//
// 6. Last touch. unlock: its sequence's store, or its CAS; in unlock_slow the store that clears HELD and QUEUE_LOCK together. The
//    parker is copied out before it, parkers are never freed. A waiter touches the mutex only while it is
//    queued or holds it. The warden only while WATCHED (I4), which is cleared, and the list left, before
//    the queue can be empty.
//
// 7. Wake ledger. Who clears HELD with a queue owes a wake, unless one is in flight (wait/offer.hpp). Who
//    is woken and finds the lock taken owes nothing: that holder's unlock does. Who leaves with an offer
//    while the lock is free passes it on (leave). Grants are claims: the waiter takes itself out under the
//    queue lock. So there is no grant to leak, and of grant and deadline exactly one happens.
//
// 8. Evidence: mutex_model.cpp, offers_model.cpp, tests/explore/kinds_model.cpp, tests/explore/parties_model.cpp (every
//    schedule within bounds), models/mutex_word.pml (progress), mutex_test.cpp, tests/conformance,
//    tests/scopes/mixed_stress.cpp; `mortise bench` P2 to P7.
//    Sources: nsync and parking_lot (queue bit in the word, long-wait bit), Go's sync.Mutex (the waiter that
//    after 1 ms asks to be next), D. Dice et al. and M. Desnoyers for the unlock (base/restartable.hpp).

#include <mortise/lock/mutex.hpp>

#include <mortise/base/age_clock.hpp>
#include <mortise/base/chaos.hpp>
#include <mortise/base/fatal.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/base/pointer_bits.hpp>
#include <mortise/base/probe.hpp>
#include <mortise/base/spin.hpp>
#include <mortise/lock/holder_table.hpp>
#include <mortise/wait/context.hpp>
#include <mortise/wait/observer.hpp>
#include <mortise/wait/offer.hpp>
#include <mortise/wait/warden.hpp>

namespace mortise::inline MORTISE_ABI {
namespace {

using wait::patience;

// How often a locker looks again before it queues: with cpu_relax about 1 to 2 us, some ten short sections or one bounce between
// cores. EPYC Zen 5 under KVM, November 2026, 110,000 fibers on two workers (mortise bench P3).
constexpr int spin_turns = MORTISE_IS_MODEL ? 1 : 40;

// Where others wait, a lock is taken only by one who found it free so often in a row: it is not in use. One that is taken again and
// again is left to who has it and to who stands by, so that its data stay on one core.
constexpr int idle_looks = MORTISE_IS_MODEL ? 1 : 8;

// How long a lock that was waited for stays CONTENDED: until `turns_of_quiet` times one in `quiet_sample` of its unlocks had
// nothing to see to. To announce oneself again costs a membarrier, which is not to be paid for each fiber that waits.
constexpr int quiet_sample = MORTISE_IS_MODEL ? 1 : 16;
constexpr unsigned turns_of_quiet = MORTISE_IS_MODEL ? 1 : 7;

bool had_by(const wait::waiter& n, const mutex& m) noexcept {
  if (lock_detail::keeps_holders()) [[unlikely]]
    lock_detail::write_down_holder(&m, *n.who);
  return true;
}

bool insists(const wait::waiter& head) noexcept { return head.insists || chaos_strikes(chaos::preempt); }

}  // namespace

// An unlock that owes nothing: the word without HELD, and in the end without all that keeps unlocks from going by sequence.
std::uint64_t mutex::after_quiet_unlock(std::uint64_t w) noexcept {
  w &= ~word::held;
  if ((w & word::contended) == 0 || wait::budget_left() % quiet_sample != 0) return w;
  return (w & word::quiet_most) == turns_of_quiet * word::quiet_one ? w & ~word::second_byte
                                                                    : w + word::quiet_one;
}

// Whether the first waiter's wake is in flight, under the queue lock. One that insists may have been told when the lock went to one
// behind it, it being overdue: the next unlock must see it (I6).
std::uint64_t mutex::told_if(const wait::waiter& head) noexcept {
  const bool on_its_way = head.offered != 0 && age_clock_now() - head.offered < wait::offer_bound;
  return on_its_way && !head.insists ? word::told : 0;
}

bool mutex::try_slow() noexcept {
  if (wait::budget_left() < 0) wait::refill_budget();
  std::uint64_t w = m_word.load(memory_order_relaxed);  // O4
  while (obtainable(w)) {
    // O1
    if (m_word.compare_exchange_weak(w, w | word::held, memory_order_acquire, memory_order_relaxed)) {
      if (lock_detail::keeps_holders()) [[unlikely]]
        lock_detail::write_down_holder(this, wait::this_context().self());
      return true;
    }
  }
  return false;
}

bool mutex::lock_slow(nanos deadline) noexcept {
  if (wait::budget_left() < 0) wait::refill_budget();
  if (deadline != never && now_ns() >= deadline) return try_slow();
  wait::waiter n;
  n.who = &wait::this_context().self();
  if (take_or_queue(n)) return true;
  if (deadline == never) check_wait();  // a bounded wait for oneself ends by itself
  wait::note_wait(n, {this, "mutex", deadline != never});
  for (;;) {
    // Asked for again each time: after a park a fiber may be on another OS thread.
    wait::this_context().park(deadline);
    if (n.who->runs_by_itself() ? stand_by(n, deadline) : claim(n)) return true;
    if (deadline != never && now_ns() >= deadline) {
      leave(n);
      return false;
    }
  }
}

// True: the lock is held. False: `n` is queued, and someone owes it a wake.
bool mutex::take_or_queue(wait::waiter& n) noexcept {
  int turns = 0, free = 0;
  std::uint64_t w = m_word.load(memory_order_relaxed);  // O4
  for (int spins = 0;;) {
    // The first look is the fast way's, where that is shut.
    if (obtainable(w) &&
        ((w & word::head) == 0 || (spins == 0 && lock_detail::keeps_holders()) || ++free >= idle_looks)) {
      if (m_word.compare_exchange_weak(w, w | word::held, memory_order_acquire, memory_order_relaxed))
        return had_by(n, *this);  // O1
      continue;
    }
    if (!obtainable(w)) free = 0;
    if (obtainable(w) || (spins < spin_turns && (w & word::starving) == 0)) {
      ++spins;
      cpu_relax();
      w = m_word.load(memory_order_relaxed);  // O4
    } else if ((w & word::queue_lock) != 0) {
      spin_for_another(turns);
      w = m_word.load(memory_order_relaxed);  // O4
    } else if (try_queue_lock(w)) {
      break;
    }
  }
  // Nobody else can have set HELD since and given it back: its unlock would have to wait for us.
  if (obtainable(w)) {
    std::uint64_t expected = w | word::queue_lock;
    // O1; fails if a barger has just set HELD
    if (m_word.compare_exchange_strong(expected, w | word::held, memory_order_acquire, memory_order_relaxed))
      return had_by(n, *this);
    w |= word::held;
  }
  // HELD or STARVING is set together with QUEUE_LOCK, so the word is ours (I1) and a plain store frees the queue. HELD:
  // its holder will see us. STARVING: the queue is not empty and a wake is in flight (I2).
  require_pointer_bits(&n, "a waiter");
  n.offered = 0;
  n.insists = false;
  n.since = age_clock_now();
  wait::waiter* const head = wait::push_back(head_of(w), n);
  std::uint64_t flags = w & (word::held | word::starving | word::contended | word::told | word::watched);
  if ((w & word::held) == 0 || (w & word::told) != 0) flags = guard_offers(*head, flags);
  m_word.store(bits_of(head) | flags, memory_order_release);  // O3
  return false;
}

// For a lock that is left free with a queue: its head was offered it and may never run, which must not
// hold up those behind (I2). Returns `flags`, with WATCHED where it is needed. Under the queue lock.
std::uint64_t mutex::guard_offers(const wait::waiter& head, std::uint64_t flags) noexcept {
  if ((flags & word::watched) != 0 || head.next == nullptr || head.who->runs_by_itself()) return flags;
  return wait::watch(this, &mutex::examine) ? flags | word::watched : flags;
}

// Takes the queue lock if the word is still `w`. True: `w` is the word, without QUEUE_LOCK. Where unlocks went by sequence (I5),
// those that began before may still clear HELD, so nothing is ours (I1) until they have been interrupted.
bool mutex::try_queue_lock(std::uint64_t& w) noexcept {
  const bool announces = (w & word::contended) == 0 && restartable::in_use();
  std::uint64_t ours = (w & ~word::quiet_most) | word::queue_lock;
  if (announces) ours |= word::contended | ((w & word::head) != 0 ? word::told : 0);
  if (!m_word.compare_exchange_weak(w, ours, memory_order_acquire, memory_order_relaxed)) return false;  // O3
  if (announces) {
    restartable::interrupt_all();              // O5
    ours = m_word.load(memory_order_relaxed);  // O5
  }
  w = ours & ~word::queue_lock;
  return true;
}

std::uint64_t mutex::take_queue_lock() noexcept {
  int turns = 0;
  std::uint64_t w = m_word.load(memory_order_relaxed);  // O4
  for (;;) {
    if ((w & word::queue_lock) != 0) {
      spin_for_another(turns);
      w = m_word.load(memory_order_relaxed);
    } else if (try_queue_lock(w)) {
      return w;
    }
  }
}

// Gives up the queue lock with head and flags as in `keep`; HELD stays as it is: a barger may have just
// set it (I1).
void mutex::release_queue_lock(std::uint64_t keep) noexcept {
  std::uint64_t w = m_word.load(memory_order_relaxed);  // O4
  while (!m_word.compare_exchange_weak(w, (keep & ~(word::held | word::queue_lock)) | (w & word::held),
                                       memory_order_release, memory_order_relaxed)) {  // O3
  }
}

// Whether `n`, which was woken, may take a free lock. Of several that were told, once the first has waited for long they come in
// their order.
bool mutex::may_claim(const wait::waiter& head, const wait::waiter& n, std::uint64_t w) noexcept {
  if ((w & word::starving) != 0) return wait::next_in_turn(&head, n);
  return &head == &n || age_clock_now() - head.since < patience || wait::next_in_turn(&head, n);
}

// A waiter that was woken takes the lock, if it may, and leaves the queue. False: it is still queued.
bool mutex::claim(wait::waiter& n, otherwise what) noexcept {
  if (!n.queued()) return take_or_queue(n);  // a coroutine that yielded first
  std::uint64_t w = take_queue_lock();
  bool mine = (w & word::held) == 0 && may_claim(*head_of(w), n, w);
  if (mine && (w & word::starving) == 0) {
    // Bargers compete for HELD; who sets it first has the lock. Relaxed on failure: HELD can only have been set.
    std::uint64_t expected = w | word::queue_lock;
    mine = m_word.compare_exchange_strong(expected, expected | word::held, memory_order_acquire,
                                          memory_order_relaxed);
  }
  if (!mine) {
    if (what == otherwise::goes_to_sleep) {
      // The holder's unlock, or the one that was offered the lock, sees to us (I2).
      n.offered = 0;
      n.insists = age_clock_now() - n.since >= patience;
      w = (w & ~word::told) | told_if(*head_of(w));
    }
    release_queue_lock(w);
    return false;
  }
  wait::waiter* const head = wait::remove(head_of(w), n);
  std::uint64_t flags = word::held | (w & word::contended);  // STARVING is judged anew by an unlock
  if (head == nullptr) {
    if ((w & word::watched) != 0) wait::unwatch(this);  // keeps I4
  } else {
    flags |= (w & word::watched) | told_if(*head);
  }
  m_word.store(bits_of(head) | flags, memory_order_release);  // O3; the word is ours: HELD is set, by us (I1)
  MORTISE_PROBE(acquired, this, n.who);
  if (!n.notes_its_end) MORTISE_PROBE(wait_over, n.who);
  wait::observers::took(n, {this, "mutex"});
  return had_by(n, *this);
}

// A waiter that will not take the lock goes out of the queue, wherever it stands, and passes on what it
// was offered.
void mutex::leave(wait::waiter& n) noexcept {
  const std::uint64_t w = take_queue_lock();
  const bool told = n.offered != 0;
  wait::waiter* const head = wait::remove(head_of(w), n);
  std::uint64_t flags = w & (word::contended | word::starving | word::watched);
  wait::offer successors;
  if (head == nullptr) {
    if ((w & word::watched) != 0) wait::unwatch(this);  // keeps I4
    flags &= word::contended;
  } else {
    if (told && (w & word::held) == 0) {
      successors.choose(head, age_clock_now());  // keeps I2
      flags = guard_offers(*head, flags);
    }
    // Told behind one that was overdue, the new head may insist already.
    if ((w & word::held) == 0 && insists(*head)) flags |= word::starving;
    flags |= told_if(*head);
  }
  release_queue_lock(bits_of(head) | flags);
  successors.wake();
  if (!n.notes_its_end) wait::note_end(n);
}

// Somebody else makes `n`, whose party sleeps elsewhere, wait here. Who calls this wakes whom it tells, after all internal locks.
void mutex::enqueue(wait::waiter& n, wait::offer& next) noexcept {
  const std::uint64_t w = take_queue_lock();
  n.offered = 0;
  n.insists = false;
  n.since = age_clock_now();
  wait::waiter* const head = wait::push_back(head_of(w), n);
  std::uint64_t flags = w & (word::contended | word::starving | word::watched);
  if ((w & word::held) == 0) {
    next.choose(head, age_clock_now());  // keeps I2
    flags = guard_offers(*head, flags);
  }
  release_queue_lock(bits_of(head) | flags | told_if(*head));
}

void mutex::unlock_slow() noexcept {
  if (lock_detail::keeps_holders()) [[unlikely]]
    lock_detail::strike_out_holder(this);
  int turns = 0;
  std::uint64_t w = m_word.load(memory_order_relaxed);  // O4
  for (;;) {
    if ((w & word::held) == 0) {
      fatal("unlock of the mutex at %p, which is not locked: an unlock too many, or the object was destroyed",
            static_cast<void*>(this));
    }
    if ((w & word::queue_lock) != 0) {
      spin_for_another(turns);
      w = m_word.load(memory_order_relaxed);
    } else if ((w & word::head) == 0 || (w & word::told) != 0 ||
               ((w & word::contended) == 0 && restartable::in_use())) {  // I5
      // A fiber's or coroutine's turn is its budget.
      const bool takes_turns = (w & word::head) != 0 && !MORTISE_IS_MODEL && wait::budget_is_unlimited();
      const bool over = takes_turns && turn_is_over();
      const std::uint64_t after = takes_turns ? w & ~word::held : after_quiet_unlock(w);
      const bool tells = (w & word::head) != 0 && wait::observers::tells_of(takes_turns);
      if (m_word.compare_exchange_weak(w, after, memory_order_release, memory_order_relaxed)) {  // O2
        if (tells) return wait::observers::goes_on({this, "mutex"}, takes_turns, over);
        if (over) yield_this_thread();
        return;
      }
    } else if (try_queue_lock(w)) {
      break;
    }
  }
  wait::waiter* const head = head_of(w);
  wait::offer next;
  const nanos now = age_clock_now();
  next.choose(head, now);
  const std::uint64_t flags = guard_offers(*head, w & (word::contended | word::watched)) | told_if(*head) |
                              (insists(*head) ? word::starving : 0);
  [[maybe_unused]] const wait::parker* const first = head->who;  // for the probe
  const nanos since = head->since;
  // O2, O3, and the last touch: HELD and QUEUE_LOCK go in one store, the word being ours alone (I1).
  m_word.store(bits_of(head) | flags, memory_order_release);
  wait::observers::freed({this, "mutex"}, since, next);
  MORTISE_PROBE(handoff, this, first, now - since);
}

// The warden's look at a lock that is on its list, see warden.hpp. Must not wait for the queue lock.
void mutex::examine(void* self, wait::offer& next) noexcept {
  mutex& m = *static_cast<mutex*>(self);
  std::uint64_t w = m.m_word.load(memory_order_relaxed);  // O4
  if ((w & (word::held | word::queue_lock)) != 0 || !m.try_queue_lock(w)) return;
  next.choose(head_of(w), age_clock_now());  // keeps I2
  m.release_queue_lock((w & ~word::told) | told_if(*head_of(w)));
}

}  // namespace mortise::inline MORTISE_ABI
