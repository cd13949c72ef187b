// The lock of a region, for threads of several processes, any of which may be killed or stopped at any instruction.
//
// 1. Promise
//    Safety: one holder, as the kernel and glibc promise it of a robust mutex; a section that its process' end cut short is told to one
//    tenure. Progress: the end of a holder frees the lock, the end of a waiter costs nothing. Fairness: who has waited for `patience`
//    (1 ms) goes to the gate, one at a time in the order in which the kernel wakes them, and requests: from then on each party that was on its
//    way passes it once, and newcomers only after `courtesy` (2 ms), if the lock is free then: a requester that is stopped or gone holds
//    nobody up for longer. A waiter that was woken and is stopped before it ran delays those that sleep behind it by their slice: an eighth
//    of the time they have waited, 1 to 32 ms.
//
// 2. Words (lock_block.hpp)
//    lock        the robust mutex; its first word, by the kernel's ABI: the holder's thread, WAITERS (may over-report; may under-report
//                while a wake is in flight), OWNER_DIED.
//    gate        the same; held by the one who requests, by newcomers for a moment.
//    token       exact under the lock; +1 for each section.
//    holder      exact but between a holder's steps: 0 outside of sections. Left by one who died in its section.
//    kept        exact but between a keeper's steps: whose keeper has the lock, so that sections of other threads go on under it.
//    died        exact under the lock: a section was cut short, and nobody has been told.
//    request     may over-report (its setter died, or got the lock without the gate), may under-report until the next slice of the one at
//                the gate: a hint, which costs at most `courtesy`.
//    nudge       counts who had to wait, and each of their slices; a futex for the keeper that holds.
//    gave_way    a futex, 1: a keeper has let go for others, and waits for one of them to come, 1 ms at most; may over-report.
//
// 3. States: free; taken (no section: holder 0); in a section (holder set); dead (the kernel has freed it, the next lock says EOWNERDEAD)
//      free      take -> taken
//      taken     begin_section -> in a section; release -> free; death -> dead, nothing to tell
//      section   end_section -> taken; death -> dead, with its holder's note; stop: stays
//      dead      take -> recover -> taken, `died` if there is a note (or there was one); death meanwhile -> dead, with what is left
//    Deadlines and questions (take_while) end a wait without a trace but a request, which leave_gate takes back.
//
// 4. Invariants
//    I1  holder != 0  =>  the section of that participant has not ended: it runs, or was cut short and `died` is not set for it yet
//    I2  a section of a keeper's process goes on  =>  the keeper has the lock, or is dead and `kept` says of whom
//    I3  the mutex is made consistent before anything else is done with it, so it never becomes ENOTRECOVERABLE
//    I4  who sleeps on the lock wakes by itself within its slice, so a wake that is lost with a stopped or killed one is not for ever
//
// 5. Orderings
//    O1  the mutexes order everything that their holders do, in glibc.
//    O2  Dekker: who comes counts `nudge`, then looks at `kept`; a keeper sets `kept`, then reads `nudge` as its starting point. All four are
//        seq_cst. So it is woken, or counted before the start; and then it either sleeps on the lock, where others_sleep sees it, or is on its
//        way there, and nudges anew after its slice.
//    O3  token and died: under the lock, relaxed. Who only looks wants no order.
//    O4  a killed thread has done all that is before some instruction, and nothing behind it, so it is the order of the program that counts,
//        and compiler_fence and release keep the compiler from changing it; the kernel's exit is a barrier for the processors. Before a
//        section's first store comes the note, behind its last one the note goes: begin_section's fence, end_section's release. `died` goes
//        after the new note, and comes before the old one goes: told at least once, and once only where nobody dies.
//    O5  hints, relaxed: request; the mutex's word. What follows from them is decided by the mutex, or costs time only.
//    O6  gave_way: relaxed; its sleep is bounded. It is set before the release and looked at under the lock, which orders the two.
//
// 6. Last touch. unlock: pthread_mutex_unlock, which touches the page after it has freed the lock (glibc's robust list). So a region stays
//    mapped until no thread of the process is in here (local_side::close).
//
// 7. Wake ledger. The mutexes' wakes are glibc's and the kernel's, also when the woken one dies. Who goes to sleep behind a keeper owes it a
//    nudge, with every slice. Who gets the lock after a wait owes a wake to the keeper that gave way.
//
// 8. Evidence: outer_lock_test.cpp, mutex_deaths_test.cpp; docs/decisions/processes.md. robust_list(2), the kernel's robust-futex-ABI.
//
// What a robust mutex does not do: see free_if_orphaned. And: thread numbers are those of one PID namespace. Where two share a region, a thread
// that dies while it waits may free the lock of one of the same number; they must not.
#include <mortise/shm/outer_lock.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <ctime>

#include <mortise/base/fatal.hpp>
#include <mortise/shm/shared_futex.hpp>
#include <mortise/wait/offer.hpp>

namespace mortise::inline MORTISE_ABI::shm {
namespace {

using wait::patience;

// How long newcomers let one who waits at the gate go first, or others let it pass, when it does not come.
constexpr nanos courtesy = 2 * patience;
constexpr nanos longest_slice = 32'000'000;

// How long to sleep before looking again whether all is as it was: the longer it has taken, the less it matters.
nanos slice(nanos age) noexcept { return std::clamp(age / 8, patience, longest_slice); }

timespec absolute(nanos t) noexcept {
  return {static_cast<time_t>(t / 1'000'000'000), static_cast<long>(t % 1'000'000'000)};
}

int lock_until(pthread_mutex_t& m, nanos until) noexcept {
  const timespec at = absolute(until);
  return ::pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &at);
}

// Notes for who looks that a thread of this process waits.
class waiting_note {
 public:
  explicit waiting_note(participants& members) noexcept : m_members{members} { m_members.waits(1); }
  ~waiting_note() { m_members.waits(-1); }
  waiting_note(const waiting_note&) = delete;
  waiting_note& operator=(const waiting_note&) = delete;

 private:
  participants& m_members;
};

}  // namespace

// The word that the kernel looks at (robust_list(2), "a word at a fixed offset"): who has the lock, and whether somebody sleeps.
std::uint32_t outer_lock::word() const noexcept {
  static_assert(offsetof(pthread_mutex_t, __data.__lock) == 0 && sizeof(m_block.lock.__data.__lock) == 4);
  return static_cast<std::uint32_t>(__atomic_load_n(&m_block.lock.__data.__lock, __ATOMIC_RELAXED));  // O5
}

bool outer_lock::took_slow(int error) noexcept {
  switch (error) {
    case 0: return true;
    case EBUSY:
    case ETIMEDOUT: return false;
    case EOWNERDEAD: recover(); return true;
    default:
      fatal("the shm::mutex at %p cannot be locked (errno %d): its memory was overwritten",
            static_cast<void*>(&m_block), error);
  }
}

std::uint32_t outer_lock::number_of_this_thread() noexcept { return static_cast<std::uint32_t>(::gettid()); }

bool outer_lock::is_taken_by_this_thread() const noexcept {
  return (word() & FUTEX_TID_MASK) == number_of_this_thread();
}

bool outer_lock::is_free_or_of(std::uint32_t thread) const noexcept {
  const std::uint32_t holder = word() & FUTEX_TID_MASK;
  return holder == 0 || holder == thread;
}

void outer_lock::cannot_release(int error) const noexcept {
  fatal("unlock of the shm::mutex at %p by a thread that does not hold it (errno %d)",
        static_cast<void*>(&m_block), error);
}

// The holder died. Each step may be the last one of this process, and then the next one begins anew with what is left to do.
void outer_lock::recover() noexcept {
  if (const participant_id keeper = m_block.kept.load(memory_order_relaxed); keeper != 0) {
    // Its keeper is gone, but its other threads may still run for some microseconds, in a section or into one.
    m_members.wait_until_gone(keeper, never);
    m_block.kept.store(0, memory_order_release);
  }
  if (m_block.holder.load(memory_order_relaxed) != 0) {
    m_block.died.store(1, memory_order_release);    // before the note goes: it is told at least once
    m_block.holder.store(0, memory_order_release);  // O4
  }
  ::pthread_mutex_consistent(&m_block.lock);  // always before it is unlocked, so it stays recoverable
}

// A thread that is not its process' first and calls exec takes over the number of the first one before the kernel looks at the list of its
// robust mutexes, which then seem to be somebody else's and stay locked (Linux 6.18 too: de_thread goes before exec_mm_release). So one that
// belongs to a section whose process is gone is marked as the kernel would have done.
void outer_lock::free_if_orphaned() noexcept {
  const std::uint32_t w = word();
  const auto thread = static_cast<pid_t>(w & FUTEX_TID_MASK);
  const participant_id holder = m_block.holder.load(memory_order_relaxed);
  // One that has just got the lock of a dead one has another number, or is marked in __owner until the note is gone (recover). A thread that
  // still exists has only lost its descriptors.
  if (thread == 0 || holder == 0 || m_members.alive(holder) ||
      __atomic_load_n(&m_block.lock.__data.__owner, __ATOMIC_RELAXED) != thread ||
      ::syscall(SYS_tkill, thread, 0) == 0 || errno != ESRCH ||
      m_block.holder.load(memory_order_relaxed) != holder)
    return;
  int expected = static_cast<int>(w);
  if (__atomic_compare_exchange_n(&m_block.lock.__data.__lock, &expected,
                                  static_cast<int>((w & FUTEX_WAITERS) | FUTEX_OWNER_DIED), false,
                                  __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    ::syscall(SYS_futex, &m_block.lock.__data.__lock, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  }
}

bool outer_lock::wait_at_gate(nanos until) noexcept {
  const int error = lock_until(m_block.gate, until);
  if (error == EOWNERDEAD) ::pthread_mutex_consistent(&m_block.gate);
  return error == 0 || error == EOWNERDEAD;
}

void outer_lock::leave_gate() noexcept {
  m_block.request.store(0, memory_order_relaxed);  // O5: whoever stands here has the say
  ::pthread_mutex_unlock(&m_block.gate);
}

bool outer_lock::take_slow(nanos deadline, question wanted, const void* whose) noexcept {
  const waiting_note note{m_members};
  const nanos since = now_ns();
  nanos now = since;
  bool at_gate = false;
  for (bool taken = false; !taken;) {
    nudge();
    if (!at_gate && (now - since >= patience || m_block.request.load(memory_order_relaxed) != 0)) {
      at_gate = wait_at_gate(std::min(deadline, now + std::max(courtesy, slice(now - since))));
      now = now_ns();
      if (!at_gate) {
        // Nobody has come for it while it stood free: the request is of one who is stopped, or gone.
        if (took(::pthread_mutex_trylock(&m_block.lock))) {
          m_block.request.store(0, memory_order_relaxed);  // O5
          break;
        }
      } else if (now - since < patience) {
        leave_gate();  // those who had waited for long are through
        at_gate = false;
      }
    }
    if (now - since >= patience) m_block.request.store(1, memory_order_relaxed);  // O5
    const nanos look = now - since < patience ? since + patience : now + slice(now - since);
    taken = took(lock_until(m_block.lock, std::min(deadline, look)));
    if (taken) break;
    now = now_ns();
    if (now >= deadline || !wanted(whose)) {
      if (at_gate) leave_gate();
      return false;
    }
    free_if_orphaned();
  }
  if (at_gate) leave_gate();
  if (m_block.gave_way.load(memory_order_relaxed) != 0) {  // O6
    m_block.gave_way.store(0, memory_order_relaxed);
    shared_futex_wake(m_block.gave_way);
  }
  return true;
}

bool outer_lock::try_take_slow() noexcept {
  free_if_orphaned();
  const std::uint32_t w = word();
  const bool free = (w & FUTEX_TID_MASK) == 0;
  const bool lingers = m_block.kept.load(memory_order_relaxed) != 0 &&
                       m_block.holder.load(memory_order_relaxed) == 0;  // a hint: waiting is bounded
  if (!free && !lingers) return false;
  return take_slow(now_ns() + courtesy + patience, [](const void*) noexcept { return true; }, nullptr);
}

bool outer_lock::others_sleep() const noexcept { return (word() & FUTEX_WAITERS) != 0; }

void outer_lock::nudge() noexcept {
  m_block.nudge.fetch_add(1, memory_order_seq_cst);                                    // O2
  if (m_block.kept.load(memory_order_seq_cst) != 0) shared_futex_wake(m_block.nudge);  // O2
}

void outer_lock::sleep_until_nudged(std::uint32_t seen, nanos deadline) const noexcept {
  shared_futex_wait(m_block.nudge, seen, deadline);
}

void outer_lock::release_to_others() noexcept {
  m_block.gave_way.store(1, memory_order_relaxed);  // O6
  release();
  shared_futex_wait(m_block.gave_way, 1, now_ns() + patience);
}

}  // namespace mortise::inline MORTISE_ABI::shm
