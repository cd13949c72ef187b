// Readers and writers: who is inside in one word, or in slots, who waits in another.
//
// 1. Promise     shared_mutex.hpp, RW1 to RW7
// 2. Word        m_state
//                readers    those inside, exact while there are no slots; from then on constant, and the number is the sum (inside())
//                releasing  how many unlocks have freed it and not yet told anybody; exact
//                slots      0, or where its reader_slots are; set once
//                WRITER     exact, but for a moment in become_writer, where a writer says so before it looks at the slots
//                QUEUED     somebody is in the queue, or about to be; may over-report for the length of a section
//                RESERVED   nobody comes in past the queue: the first of it that is still to be waited for insists, or is a writer and there are slots.
//                           Changed in a section, as QUEUED
//                TOLD       exact in a section: the first of the queue has been told to come, is to be waited for, and so are those who can come in with it
//                WROTE      a writer was inside since readers last got into each other's way; a hint
// 3. States      free, n readers, a writer; each with and without a queue; with one, reserved or not
// 4. Invariants  I1: a queue, and its first could come in => it has been told, or is overdue and the warden looks, or it is a
//                writer and the slots' drainer, or an unlock is RELEASING. TOLD => the first comes, or leaves, in a section, and looks who could come in then
//                I2: not QUEUED => the queue is empty, but for the moment in a section. I3: slots are given to a lock without queue and writer
// 5. Orderings   O1 coming in is an acquire RMW of m_state or of a slot, O2 going out a release RMW. Every change of m_state is an RMW, so
//                the chain from who goes out to who comes in is never broken. Those that are one side of Dekker with the slots
//                (reader_slots.hpp O1, O2) are sequentially consistent: WRITER and RESERVED are set, then slots are read
//                O3 loads before a CAS are relaxed: the CAS checks what they saw
//                O4 who queues sets QUEUED and sees who is inside in one RMW; who goes out sees QUEUED in his
//                O5 outside of a section, who reads where the slots are acquires what give_slots released: the table of all slots has them
// 6. Last touch  unlocks: the RMW that frees, or, where somebody waits, the one that takes RELEASING back, for which the destructor waits.
//                A reader that goes out of a slot: the load of m_state before
// 7. Wake ledger who frees it with a queue, and not TOLD, owes a wake to whom it then lets in (tell): a writer if nobody is inside, or all
//                readers up to the next writer. Who comes, in vain or not, or leaves the queue, tells on. A reader that goes out of a slot tells the drainer
// 8. Evidence    shared_mutex_model.cpp, shared_mutex_ends_model.cpp, shared_mutex_test.cpp, shared_mutex_turns_test.cpp, tests/conformance
#include <mortise/lock/shared_mutex.hpp>

#include <mortise/base/fatal.hpp>
#include <mortise/base/per_thread.hpp>
#include <mortise/base/probe.hpp>
#include <mortise/lock/reader_slots.hpp>
#include <mortise/wait/observer.hpp>

namespace mortise::inline MORTISE_ABI {
namespace {

using section = wait::queue::section;

// A reader that lost its CAS to another so often asks for slots, if no writer has come between two such askings.
constexpr unsigned quarrels = MORTISE_IS_MODEL ? 1 : 64;
MORTISE_PER_THREAD(unsigned) quarrelled{0};

lock_detail::reader_slots& slots_at(std::uint64_t index) noexcept {
  return lock_detail::all_slots->at(static_cast<std::uint32_t>(index));
}

// Of so many readers that pass a queue one looks how long its first has waited.
constexpr unsigned past_a_writer = MORTISE_IS_MODEL ? 1 : 16;
MORTISE_PER_THREAD(std::uint32_t) dice{0};

}  // namespace

// By lot: whatever is counted, a program can do something in step with it, and never look.
bool shared_mutex::is_to_look() noexcept {
  dice = dice * 1'664'525 + 1'013'904'223;  // Numerical Recipes' generator; its upper bits are the good ones
  return (dice >> 16) % past_a_writer == 0;
}

// How many readers are inside; one more for each that is on its way in or out of a slot.
std::int64_t shared_mutex::inside(std::uint64_t s) const noexcept {
  const std::uint64_t at = (s & slots) >> slots_shift;
  return static_cast<std::int64_t>(s & readers) + (at == 0 ? 0 : slots_at(at).sum());
}

// Not inlined: which slot is the caller's must be asked for anew after each suspension.
[[gnu::noinline]] bool shared_mutex::enter_slots(std::uint64_t s) noexcept {
  lock_detail::reader_slots& own = slots_at((s & slots) >> slots_shift);
  own.enter();
  if ((m_state.load(memory_order_seq_cst) & (writer | reserved)) == 0) [[likely]]
    return true;
  own.leave();
  return false;
}

namespace {
// Was told too long ago to be waited for.
bool overdue(const wait::waiter& n) noexcept { return wait::is_overdue(n, age_clock_now()); }
}  // namespace

// In a section: the caller, queued as `n` or not (null), becomes the writer, if that is possible and it is its turn.
bool shared_mutex::become_writer(const section& in, const wait::waiter* n) noexcept {
  std::uint64_t s = m_state.load(memory_order_relaxed);  // O3
  for (;;) {
    if ((s & writer) != 0) return false;
    if ((s & reserved) != 0 &&
        (n == nullptr || section::expected_before(in.head(), *n, age_clock_now()) != 0))
      return false;
    if ((s & slots) == 0 && (s & readers) != 0) return false;
    if (m_state.compare_exchange_weak(s, s | writer | wrote, memory_order_seq_cst, memory_order_relaxed))
      break;  // O1
  }
  if ((s & slots) == 0) return true;
  slots_at((s & slots) >> slots_shift).settle();
  if (inside(s) == 0) return true;
  // Readers are in the slots. Those that saw WRITER meanwhile are on their way to the queue, which is locked.
  m_state.fetch_and(~writer, memory_order_seq_cst);
  return false;
}

// The same for a reader: past no writer that is still to be waited for, once the lock is reserved.
bool shared_mutex::become_reader(const section& in, const wait::waiter* n) noexcept {
  // O1, where it comes in by a slot: what the last writer wrote is published by m_state. No section is between if that one has not told yet.
  std::uint64_t s = m_state.load(memory_order_acquire);
  for (;;) {
    if ((s & writer) != 0) return false;
    if ((s & reserved) != 0) {
      if (n == nullptr) return false;
      for (const wait::waiter* before = in.head(); before != n; before = before->next) {
        if (before->mode == writing && !overdue(*before)) return false;
      }
    }
    if ((s & slots) != 0) {
      slots_at((s & slots) >> slots_shift).enter();  // no writer comes in but in a section
      return true;
    }
    if ((s & readers) == readers)
      fatal("the shared_mutex at %p has %ju readers: there may be no more", static_cast<void*>(this),
            static_cast<std::uintmax_t>(readers));
    if (m_state.compare_exchange_weak(s, s + reader, memory_order_seq_cst, memory_order_relaxed))
      return true;  // O1
  }
}

// Whether one who was told is to be waited for: it comes, and whoever unlocks until then owes nobody anything.
bool shared_mutex::is_told(const wait::waiter* first) noexcept {
  return first != nullptr && first->offered != 0 && !overdue(*first);
}

// After all were told that could come in: unlocks need not look. `done` is taken off m_state in the same step.
void shared_mutex::note_told(const section& in, std::uint64_t done) noexcept {
  const bool is_new = is_told(in.head()) && (m_state.load(memory_order_relaxed) & told) == 0;  // O3
  const std::uint64_t more = is_new ? told : 0;
  if (more != done) m_state.fetch_add(more - done, memory_order_release);  // the destructor's acquire
}

// What m_state and the slots say of the queue, after it has changed. Returns the writer for which readers make way, or null.
const wait::waiter* shared_mutex::left(section& in) noexcept {
  const std::uint64_t s =
      m_state.load(memory_order_relaxed);  // slots, QUEUED and RESERVED are changed in a section only
  const auto at = static_cast<std::uint32_t>((s & slots) >> slots_shift);
  const wait::waiter* drains = nullptr;
  bool insists = false;
  // Up to the first that is still to be waited for: one that never runs neither goes first nor keeps those behind it from that.
  for (const wait::waiter* n = in.head(); n != nullptr; n = n->next) {
    insists = insists || n->insists;
    if (at != 0 && n->mode == writing) drains = n;
    if (!overdue(*n)) break;
  }
  const bool other_drainer =
      at != 0 &&
      slots_at(at).set_drainer(drains != nullptr ? static_cast<wait::parker*>(drains->who) : nullptr);
  const std::uint64_t now = (in.head() != nullptr ? queued : 0) |
                            (drains != nullptr || insists ? reserved : 0) |
                            (is_told(in.head()) ? s & told : 0);
  const std::uint64_t change = now ^ (s & (queued | reserved | told));
  if (change != 0) m_state.fetch_xor(change, memory_order_seq_cst);
  if (other_drainer) slots_at(at).settle();
  if (drains != nullptr) in.guard(this, &shared_mutex::examine);
  return drains;
}

// Tells those that could come in now. True: `next` is full, and more are to be told.
bool shared_mutex::tell(section& in, wait::offer& next) noexcept {
  const std::uint64_t s = m_state.load(memory_order_relaxed);  // O3
  if ((s & writer) != 0) return false;
  std::uint64_t many = 0;
  for (const wait::waiter* n = in.head(); n != nullptr && many < wait::most_told; n = n->next) {
    if (overdue(*n)) continue;
    if (n->mode == writing) {
      if (many == 0 && inside(s) == 0) many = 1;
      break;
    }
    ++many;
  }
  return many != 0 && in.tell(next, many, this, &shared_mutex::examine);
}

bool shared_mutex::take_or_queue(wait::waiter& n, mode m) noexcept {
  // Coroutines and bounded waits come here at once; where readers only lose to each other they need not queue, and may ask for slots.
  if (m == reading && try_shared_slow()) return true;
  section in{m_queue};
  m_state.fetch_or(queued, memory_order_seq_cst);  // O4
  bool mine = m == writing ? become_writer(in, nullptr) : become_reader(in, nullptr);
  if (!mine) {
    n.mode = m;
    in.push_back(n);
  }
  // Only now do readers that leave a slot see the writer that waits for them.
  if (left(in) == &n && become_writer(in, &n)) {
    in.remove(n, this);
    left(in);
    mine = true;
  }
  return mine;
}

bool shared_mutex::claim(wait::waiter& n, mode m) noexcept {
  if (!n.queued()) return take_or_queue(n, m);  // a coroutine that yielded first
  wait::offer next;
  bool mine = false, more = false;
  {
    section in{m_queue};
    mine = m == writing ? become_writer(in, &n) : become_reader(in, &n);
    if (!mine) {
      in.came_in_vain(n);
      mine = left(in) == &n && become_writer(in, &n);  // as in take_or_queue
    }
    if (mine) {
      in.remove(n, this);
      left(in);
    }
    // In vain, too: an unlock that saw TOLD, before it was taken back, has told nobody.
    more = tell(in, next);
    if (!more) note_told(in, 0);
  }
  next.wake();
  if (more) hand_on(0);
  if (!mine) return false;
  MORTISE_PROBE(acquired, this, n.who);
  wait::observers::took(n, {this, "shared_mutex"});
  return true;
}

void shared_mutex::leave(wait::waiter& n) noexcept {
  wait::offer next;
  bool more = false;
  {
    section in{m_queue};
    in.remove(n, this);
    left(in);
    more = tell(in, next);
    if (!more) note_told(in, 0);
  }
  next.wake();
  if (more) hand_on(0);
}

// `done`: what is taken off m_state once all have been told, RELEASING or nothing. Before the last wake: an executor's post may take its time.
void shared_mutex::hand_on(std::uint64_t done) noexcept {
  bool unlocks = done != 0;
  for (bool more = true; more;) {
    wait::offer next;
    nanos since = 0;
    {
      section in{m_queue};
      if (in.head() != nullptr) since = in.head()->since;
      more = tell(in, next);
      // The section is not the last touch then: who waits goes out of the queue in one, too.
      if (!more && in.head() != nullptr) note_told(in, std::exchange(done, 0));
    }
    if (!more && done != 0) m_state.fetch_sub(done, memory_order_release);  // the destructor's acquire
    if (std::exchange(unlocks, false) && since != 0) {
      wait::observers::freed({this, "shared_mutex"}, since, next);
    } else {
      next.wake();
    }
  }
}

bool shared_mutex::try_slow() noexcept {
  if (wait::budget_left() < 0) wait::refill_budget();
  const std::uint64_t s = m_state.load(memory_order_relaxed);  // O3
  if ((s & (writer | reserved)) != 0 || ((s & slots) == 0 && (s & readers) != 0)) return false;
  bool mine = false, tells = false;
  {
    section in{m_queue};
    mine = become_writer(in, nullptr);
    tells = !mine && in.head() != nullptr;
  }
  if (tells) hand_on(0);  // those who saw us as the writer for a moment, and were not told
  return mine;
}

bool shared_mutex::try_shared_slow() noexcept {
  bool lost = true;  // to another reader, in try_shared_fast; unless it did not even try
  if (wait::budget_left() < 0) {
    wait::refill_budget();
    lost = MORTISE_IS_MODEL;  // where any reader may be the one that quarrels
  }
  std::uint64_t s = m_state.load(memory_order_acquire);  // O5
  if ((s & (queued | reserved)) == queued) {
    mind_the_queue();
    lost = MORTISE_IS_MODEL;
    s = m_state.load(memory_order_acquire);  // O5
  }
  while ((s & (writer | reserved)) == 0) {
    if ((s & slots) != 0) return enter_slots(s);
    if ((s & readers) == readers) return false;
    if (m_state.compare_exchange_weak(s, s + reader, memory_order_seq_cst, memory_order_acquire)) {  // O1; O5
      if (lost) quarrelled = quarrelled + 1;
      if (lost && quarrelled % quarrels == 0) give_slots();
      return true;
    }
  }
  return false;
}

// While readers come one after the other the lock is never free, and no writer is told: one that has waited for long insists without having come.
void shared_mutex::mind_the_queue() noexcept {
  section in{m_queue};
  wait::waiter* first = in.head();
  while (first != nullptr && overdue(*first)) first = first->next;
  if (first == nullptr || first->mode != writing || age_clock_now() - first->since < wait::patience) return;
  first->insists = true;
  left(in);
}

// Readers get into each other's way: unless writers come, too, they are counted in slots from now on. The caller is inside.
void shared_mutex::give_slots() noexcept {
  const std::uint64_t seen = m_state.fetch_and(~wrote, memory_order_relaxed);
  if ((seen & (wrote | slots | queued)) != 0) return;
  const std::uint32_t at = lock_detail::all_slots->take();
  if (at == 0) return;
  {
    const section in{m_queue};
    std::uint64_t s = m_state.load(memory_order_relaxed);  // O3
    while ((s & (writer | slots | queued)) == 0) {         // keeps I3
      slots_at(at).set_base(static_cast<std::int64_t>(s & readers));
      // release: whoever sees where the slots are sees them whole
      if (m_state.compare_exchange_weak(s, s | std::uint64_t{at} << slots_shift, memory_order_seq_cst,
                                        memory_order_relaxed))
        return;
    }
  }
  lock_detail::all_slots->give_back(slots_at(at));
}

void shared_mutex::unlock_slow() noexcept {
  std::uint64_t s = m_state.load(memory_order_relaxed);  // O3
  do {
    if ((s & writer) == 0) {
      fatal(
          "unlock of the shared_mutex at %p, which nobody has locked but shared, if at all: an unlock too many, or unlock_shared was meant",
          static_cast<void*>(this));
    }
  } while (!m_state.compare_exchange_weak(s, (s & ~writer) + (owes_a_wake(s) ? releasing : 0),
                                          memory_order_seq_cst,
                                          memory_order_relaxed));  // O2, O4
  if (owes_a_wake(s)) hand_on(releasing);
}

[[gnu::noinline]] void shared_mutex::unlock_shared_slow() noexcept {
  std::uint64_t s = m_state.load(memory_order_acquire);  // O5
  if ((s & slots) != 0) return slots_at((s & slots) >> slots_shift).leave();
  bool last = false;
  do {
    if ((s & slots) != 0) return slots_at((s & slots) >> slots_shift).leave();
    if ((s & readers) == 0) {
      fatal(
          "unlock_shared of the shared_mutex at %p, which nobody has locked shared: an unlock too many, or unlock was meant",
          static_cast<void*>(this));
    }
    last = owes_a_wake(s) && (s & readers) == reader;
  } while (!m_state.compare_exchange_weak(s, s - reader + (last ? releasing : 0), memory_order_seq_cst,
                                          memory_order_acquire));  // O2, O4; O5
  if (last) hand_on(releasing);
}

void shared_mutex::unlock_and_lock_shared() noexcept {
  noted_release();
  noted(reading);
  std::uint64_t s = m_state.load(memory_order_relaxed);  // O3
  const bool in_slot = (s & slots) != 0;                 // they are given to a lock without a writer only
  if (in_slot) slots_at((s & slots) >> slots_shift).enter();
  do {
    if ((s & writer) == 0) {
      fatal("unlock_and_lock_shared of the shared_mutex at %p, which nobody has locked but shared, if at all",
            static_cast<void*>(this));
    }
  } while (!m_state.compare_exchange_weak(s, (s & ~writer) + (in_slot ? 0 : reader), memory_order_seq_cst,
                                          memory_order_relaxed));
  if ((s & queued) != 0) hand_on(0);  // it is held: it exists
}

void shared_mutex::going_away() noexcept {
  std::uint64_t s = m_state.load(memory_order_acquire);
  for (int turns = 0; (s & releases) != 0; s = m_state.load(memory_order_acquire)) spin_for_another(turns);
  if (MORTISE_IS_CHECKED && ((s & (writer | queued)) != 0 || inside(s) != 0)) {
    fatal("the shared_mutex at %p is destroyed while it is held or waited for", static_cast<void*>(this));
  }
  if ((s & slots) != 0) lock_detail::all_slots->give_back(slots_at((s & slots) >> slots_shift));
  noted_end();
}

// The warden's look, see warden.hpp.
void shared_mutex::examine(void* self, wait::offer& next) noexcept {
  auto& me = *static_cast<shared_mutex*>(self);
  section in{me.m_queue, section::try_it{}};
  if (!in.entered()) return;
  me.left(in);  // the first may be overdue by now
  me.tell(in, next);
}

}  // namespace mortise::inline MORTISE_ABI
