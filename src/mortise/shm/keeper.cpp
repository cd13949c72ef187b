// How tasks of one process share a lock that belongs to a thread.
//
// 1. Promise
//    Safety: a task is in its section only while the keeper has the outer lock. Progress: whoever waits at the door gets in once the
//    keeper has the lock; the keeper wants it while somebody is counted. Fairness among tasks: that of mortise::mutex. Towards other
//    processes and plain threads: once one of them waits, the keeper lets go when no task is left, or after a tenure of 1 ms, as soon as it has
//    got the door as one waiter among others: in turn after another 1 ms, and a section. Then it waits for one of them to come, 1 ms at
//    most, before it competes again. Without others it keeps the lock for some 50 us after the last section, looked at every 2 ms at most.
//
// 2. Words
//    m_mutex     the door: held by the keeper while it does not have the lock for others, else by the task in its section, or free.
//    m_word      count exact: tasks between arrive and depart. ATTENDED: the keeper has closed the door; set once. TELL_ARRIVAL: set by the
//                keeper before it sleeps without the lock, cleared by the one who arrives and rings, or by the keeper. TELL_DEPARTURE: set by the
//                keeper before it sleeps with the lock and others wait. OVER: the handle is being destroyed.
//    m_bell      counts rings; the keeper sleeps on it.
//    m_state     under m_guard; what a task that only tries goes by: closed, waiting (the keeper has tried in vain), open, closing.
//    m_triers    may under-report tasks that only try, so that count - m_triers over-reports those for whom the keeper should wait; may
//                over-report those who have just come, and they ring.
//
// 3. States of the keeper: closed --somebody counts--> trying --has it--> open --others, or nobody left--> closing --has the door--> closed
//      trying  the lock is taken -> waiting -> open, or closed once nobody is left
//      a task  arrive, lock the door (queue, deadline, stop: mortise::mutex), section, unlock the door, depart
//      a try   door free -> has it; open -> no; waiting for a lock that others have -> no; else asks, and the keeper tries first of all
//      death of the process: the robust mutex is freed as its thread goes; the next holder waits until the process is gone (outer_lock.cpp)
//      fork    in the child nobody is counted, the door is new and there is no keeper (in_child)
//
// 4. Invariants
//    I1  the door is not held by the keeper  =>  it has the outer lock (or has not started, and nobody locks the door: arrive)
//    I2  a task holds the door or waits for it  =>  it is counted
//    I3  the keeper sleeps without a deadline  =>  TELL_ARRIVAL is set and nobody but triers is counted, or a ring has come
//
// 5. Orderings
//    O7  bell and word: the keeper reads m_bell, then sets its bit by an RMW, then looks at the count, then sleeps while m_bell is what it read.
//        Who changes the count so that it must ring does so by an RMW after that one, and rings behind it: acq_rel of both makes the read of
//        m_bell come before the ring, so the kernel finds the bell changed, or the keeper asleep. One who changed it before the
//        keeper's RMW is seen in its result.
//        ATTENDED: release, after the door was closed; arrive's acquire.
//    O8  m_how, in local_side: its holder writes it under the lock; who compares it with himself has written it or finds another value.
//    O9  m_triers is relaxed, and read behind an acquire load of the word: who only tried is out of m_triers before he departs. Weaker: he is
//        gone from the count and not from m_triers, one who waits is taken for him, and the keeper sleeps (keeper_model.cpp).
//    tasks(): relaxed, for who looks.
//
// 6. Last touch: depart, after the section's unlock. So a handle outlives all calls, unlike a mortise::mutex; it is for processes, which no other
//    party can free it under.
//
// 7. Wake ledger. Who arrives and finds TELL_ARRIVAL owes a ring, the first of them; who leaves nobody behind and finds TELL_DEPARTURE, too; so
//    does one who asks, after the ask is in the list. The keeper owes each ask an answer: become(waiting), become(open). Door and outer lock:
//    their own.
//
// 8. Evidence: mutex_test.cpp, mutex_async_test.cpp, mutex_forked_test.cpp. Lock cohorting (Dice, Marathe, Shavit, PPoPP 2012) is the idea of a
//    lock that is handed on among neighbours for a bounded time.
#include <mortise/shm/keeper.hpp>

#include <algorithm>
#include <climits>
#include <memory>
#include <mutex>

#include <mortise/base/futex.hpp>
#include <mortise/wait/budget.hpp>
#include <mortise/wait/limit.hpp>
#include <mortise/wait/offer.hpp>
#include <mortise/wait/waiting.hpp>

namespace mortise::inline MORTISE_ABI::shm {
namespace {

// How long the lock is kept while others wait for it.
constexpr nanos longest_tenure = wait::patience;

// How long it is kept without need, and how long at most the keeper sleeps before it looks whether it is needed.
constexpr nanos linger = 50'000;
constexpr nanos longest_look = 2'000'000;

}  // namespace

outcome door::lock_slow(const wait::bound& until, bool for_ever) noexcept {
  struct blocking : way {
    bool for_ever;
    bool take_or_queue(wait::waiter& n) const noexcept {
      if (way::take_or_queue(n)) return true;
      if (for_ever) where().m_mutex.check_wait();  // a bounded wait for oneself ends by itself
      return false;
    }
  };
  if (wait::budget_left() < 0) wait::refill_budget();
  if (const auto how = until.ended()) return m_mutex.try_slow() ? outcome::acquired : *how;
  return wait::wait_for(blocking{way{*this}, for_ever}, until);
}

void door::ring() noexcept {
  m_bell.fetch_add(1, memory_order_release);  // O7
  futex_wake(m_bell, INT_MAX);
}

void door::tell_of_arrival() noexcept {
  if ((m_word.fetch_and(~tell_arrival, memory_order_relaxed) & tell_arrival) != 0) ring();
}

void keeper::start() {
  try {
    const std::lock_guard hold{m_guard};
    if ((m_door.m_word.load(memory_order_acquire) & door::attended) != 0) return;
    m_members.me();
    m_thread = os_thread([this] { serve(); });
    name_thread(m_thread, "mortise-keeper");
    for (;;) {
      const std::uint32_t bell = m_door.m_bell.load(memory_order_acquire);
      if ((m_door.m_word.load(memory_order_acquire) & door::attended) != 0) return;
      futex_wait(m_door.m_bell, bell, never);
    }
  } catch (...) {
    m_door.depart();
    throw;
  }
}

keeper::~keeper() {
  if (!m_thread.joinable()) return;
  m_door.m_word.fetch_or(door::over, memory_order_acq_rel);
  m_door.ring();
  m_outer.nudge();
  m_thread.join();
}

void keeper::in_child() noexcept {
  // What the parent has in them is another process' now: nothing of it is undone here, all begins anew.
  const std::uint32_t epoch = m_door.m_epoch + 1;
  const wait::subject s = m_door.m_subject;
  std::construct_at(&m_door, s);
  m_door.m_epoch = epoch;
  std::construct_at(&m_thread);
  std::construct_at(&m_guard);
  m_state = state::closed;
  m_asks = nullptr;
  m_triers.store(0, memory_order_relaxed);
}

void keeper::serve() noexcept {
  m_number = outer_lock::number_of_this_thread();
  m_door.lock();
  m_door.m_word.fetch_or(door::attended, memory_order_acq_rel);
  m_door.ring();
  while (somebody_came()) {
    if (!get_lock()) continue;
    m_outer.keep(m_members.me_if_joined());
    m_door.unlock();
    become(state::open);
    const bool asked = stay_open();
    become(state::closing);
    m_door.lock();
    become(state::closed);
    m_outer.keep_no_more();
    if (asked) {
      m_outer.release_to_others();
    } else {
      m_outer.release();
    }
  }
  m_door.unlock();
}

bool keeper::is_wanted() const noexcept {
  const std::uint32_t w = m_door.m_word.load(memory_order_acquire);                         // O9
  return (w & door::over) == 0 && (w & door::count) > m_triers.load(memory_order_relaxed);  // O9
}

// One who asks is answered first, and then it waits again.
bool keeper::waits_on() const noexcept {
  if (!is_wanted()) return false;
  const std::lock_guard hold{m_guard};
  return m_asks == nullptr;
}

bool keeper::somebody_came() noexcept {
  for (;;) {
    const std::uint32_t bell = m_door.m_bell.load(memory_order_acquire);  // O7: before the word
    const std::uint32_t w = m_door.m_word.fetch_or(door::tell_arrival, memory_order_acq_rel);
    if ((w & door::over) != 0) return false;
    bool came = is_wanted();
    if (!came) {
      const std::lock_guard hold{m_guard};
      came = m_asks != nullptr;
    }
    if (came) {
      m_door.m_word.fetch_and(~door::tell_arrival, memory_order_relaxed);
      return true;
    }
    futex_wait(m_door.m_bell, bell, never);
  }
}

bool keeper::get_lock() noexcept {
  bool asked = false;
  {
    const std::lock_guard hold{m_guard};
    asked = m_asks != nullptr;
  }
  if (asked && m_outer.try_take()) return true;
  if (asked) become(state::waiting);
  if (is_wanted()) {
    if (m_outer.try_take_fast()) return true;
    become(state::waiting);
    if (m_outer.take_while([](const void* me) noexcept { return static_cast<const keeper*>(me)->waits_on(); },
                           this))
      return true;
  }
  become(state::closed);
  return false;
}

// Who asked whether the lock is to be had at once is told to try, or that it is not, which is the same.
void keeper::become(state s) noexcept {
  for (;;) {
    std::stop_source no{std::nostopstate};
    {
      const std::lock_guard hold{m_guard};
      m_state = s;
      if (s == state::closed || s == state::closing || m_asks == nullptr) return;
      no = m_asks->no;
      m_asks = m_asks->next;
    }
    no.request_stop();  // may wake, which may want other locks
  }
}

bool keeper::try_lock() {
  if (m_door.try_lock()) return true;
  ask mine;
  m_triers.fetch_add(1, memory_order_relaxed);
  bool has_asked = false;
  {
    const std::lock_guard hold{m_guard};
    // While it waits for a lock that is free, or its own, it only has not run yet.
    if (m_state == state::closed || (m_state == state::waiting && m_outer.is_free_or_of(m_number)) ||
        (m_state == state::closing && !m_outer.is_in_section_of(m_members.me_if_joined()))) {
      has_asked = true;
      mine.next = m_asks;
      m_asks = &mine;
    }
  }
  bool taken = false;
  if (has_asked) {
    m_door.ring();
    taken = m_door.lock(wait::bound{mine.no.get_token()}) == outcome::acquired;
    const std::lock_guard hold{m_guard};
    for (ask** a = &m_asks; *a != nullptr; a = &(*a)->next) {
      if (*a != &mine) continue;
      *a = mine.next;
      break;
    }
  } else {
    taken = m_door.try_lock();  // it may have been opened just now
  }
  m_triers.fetch_sub(1, memory_order_relaxed);
  return taken;
}

// Returns whether others have asked for the lock.
bool keeper::stay_open() noexcept {
  const nanos since = now_ns();
  const std::uint32_t seen = m_outer.nudges();
  std::uint64_t sections = m_outer.sections();
  nanos look = linger;
  bool asked = false, looked = false;
  for (;;) {
    const std::uint32_t bell = m_door.m_bell.load(memory_order_acquire);  // O7: before the word
    const std::uint32_t w = m_door.m_word.load(memory_order_acquire);
    asked = m_outer.nudges() != seen;
    if ((w & door::over) != 0) break;
    const nanos now = now_ns();
    if (asked || m_outer.others_sleep()) {
      if (now - since >= longest_tenure) break;
      if ((m_door.m_word.fetch_or(door::tell_departure, memory_order_acq_rel) & door::count) == 0)
        break;  // O7
      futex_wait(m_door.m_bell, bell, since + longest_tenure);
      continue;
    }
    const std::uint64_t sections_now = m_outer.sections();
    const bool quiet = (w & door::count) == 0;
    if (looked && quiet && sections_now == sections) break;
    look = quiet ? linger : std::min(2 * look, longest_look);
    sections = sections_now;
    looked = true;
    m_outer.sleep_until_nudged(seen, now + look);
  }
  m_door.m_word.fetch_and(~door::tell_departure, memory_order_relaxed);
  return asked;
}

}  // namespace mortise::inline MORTISE_ABI::shm
