// Conditional critical sections.
//
// 1. Promise     who waits for a condition has the mutex once the condition holds, in the order of arrival among those whose conditions hold
// 2. Word        none: a queue (wait/queue.hpp), and m_picked, exact: one has been picked, and has had no turn yet
// 3. States      a waiter: arrives (in the mutex's queue, or in none), waits (in ours), picked (in the mutex's), gave up (in none)
//                arrives --has the mutex, does not hold--> waits; waits --pick--> picked; picked --has the mutex--> done or waits
//                arrives, waits, picked --bound--> gave up
// 4. Invariants  I1: a waiter at `waits` whose condition holds of the value when the mutex is free => one is picked and is in the mutex's
//                queue, or the value was not changed under the mutex; I2: at `waits` exactly those in our queue
// 5. Orderings   what a predicate reads is read under the mutex: by the one that unlocks, or by the waiter that has it. Stages and our
//                queue are in sections; a section may take the queue lock of the mutex, not the other way round
// 6. Last touch  who unlocks: the section, before the unlock. Who waits holds the mutex in the end, or leaves in a section
// 7. Wake ledger who unlocks after a change owes a pick, unless one is picked; that one owes the next, when it unlocks, or, if it gives up,
//                at once: then the next is picked without being asked, and asks itself
// 8. Evidence    conditions_test.cpp, guarded_test.cpp. Sources: C. A. R. Hoare's and P. Brinch Hansen's conditional critical regions;
//                nsync and absl::Mutex, whose unlock evaluates conditions
#include <mortise/lock/conditions.hpp>

#include <mortise/base/age_clock.hpp>
#include <mortise/base/cache_line.hpp>
#include <mortise/wait/observer.hpp>
#include <mortise/wait/subject.hpp>

namespace mortise::inline MORTISE_ABI {

using section = wait::queue::section;

namespace {

// Of a thousand who wait each lies on another page, and the next one is known too late for the processor to find out by itself. It is two lines: the
// links, and the condition.
void look_ahead(const wait::waiter* next) noexcept {
  if (next == nullptr) return;
  __builtin_prefetch(next);
  __builtin_prefetch(reinterpret_cast<const char*>(next) + cache_line);
}

}  // namespace

bool conditions::test(waiter& n, const void* value) noexcept {
  try {
    return n.holds(n, value);
  } catch (...) {
    n.error = std::current_exception();
    return true;
  }
}

// In a section: `n` is picked, and waits for its turn from now on.
void conditions::enqueue(wait::waiter& n, mutex& m, wait::offer& next) noexcept {
  m.enqueue(n, next);
  wait::observers::moved(n, {&m, "mutex", static_cast<waiter&>(n).has_deadline});
}

// By the holder of the mutex: nobody else may look at the value, or is in a pick.
void conditions::pick(mutex& m, const void* value) noexcept {
  wait::offer next;
  {
    section in{m_queue};
    const nanos now = age_clock_now();
    // Who does not come in time is not waited for, as in the mutex's own queue.
    if (m_picked != 0 && now - m_picked < wait::offer_bound) return;
    for (wait::waiter* n = in.head(); n != nullptr; n = n->next) {
      look_ahead(n->next);
      if (!test(static_cast<waiter&>(*n), value)) continue;
      in.remove(*n, this);
      n->mode = picked;
      m_picked = now;
      enqueue(*n, m, next);
      break;
    }
  }
  next.wake();
}

// `n` has the mutex. False: its condition does not hold, it is in our queue again, and the mutex is free.
bool conditions::judge(waiter& n, mutex& m, const void* value) noexcept {
  n.error = nullptr;
  const bool holds = test(n, value);
  // Before it is in our queue, where it may be picked at once.
  if (!holds) wait::note_wait(n, {this, "condition", n.has_deadline});
  {
    section in{m_queue};
    const bool was_picked = n.mode == picked;
    if (was_picked) m_picked = 0;
    if (!holds) {
      n.mode = waits;
      was_picked ? in.push_front(n) : in.push_back(n);
    }
  }
  if (holds) return true;
  before_unlock(m, value);  // somebody else's may hold
  m.noted();
  m.unlock();
  return false;
}

// Its bound has come, or it is destroyed.
void conditions::forget(waiter& n, mutex& m) noexcept {
  wait::offer next;
  {
    section in{m_queue};
    if (n.mode == waits) {
      in.remove(n, this);
    } else if (n.mode == picked) {
      pass_on(m, in, next);
    }
    n.mode = gave_up;
  }
  n.queued() ? m.leave(n) : wait::note_end(n);
  next.wake();
}

// One who was picked will not come: the first takes its place, whose condition may hold or not.
void conditions::pass_on(mutex& m, section& in, wait::offer& next) noexcept {
  m_picked = 0;
  wait::waiter* const n = in.head();
  if (n == nullptr) return;
  in.remove(*n, this);
  n->mode = picked;
  m_picked = age_clock_now();
  enqueue(*n, m, next);
}

bool conditions::begin(waiter& n, mutex& m, const void* value, bool has_deadline) noexcept {
  n.mode = arrives;
  n.has_deadline = has_deadline;
  if (m.take_or_queue(n)) return judge(n, m, value);
  wait::note_wait(n, {&m, "mutex", has_deadline});
  return false;
}

bool conditions::step(waiter& n, mutex& m, const void* value, const wait::bound& until,
                      outcome& how) noexcept {
  bool in_ours = false;
  {
    const section in{m_queue};
    in_ours = n.mode == waits;
  }
  if (!in_ours && mutex::exclusive{m}.claim(n) && judge(n, m, value)) return true;
  const auto ended = until.ended();
  if (!ended) return false;
  forget(n, m);
  how = *ended;
  return true;
}

outcome conditions::noted(mutex& m) noexcept {
  m.noted();
  return outcome::acquired;
}

void conditions::noted_async(mutex& m, call_site site) noexcept { m.noted_async(site); }

outcome conditions::wait(waiter& n, mutex& m, const void* value, const wait::bound& until) noexcept {
  n.who = &wait::this_context().self();
  n.has_deadline = until.deadline() != never;
  if (!n.has_deadline) m.noted_wait();
  if (m.try_fast() || (until.ended() && m.try_slow())) {
    n.mode = arrives;
    if (judge(n, m, value)) return noted(m);
  } else if (const auto how = until.ended()) {
    return *how;
  } else if (begin(n, m, value, n.has_deadline)) {
    return noted(m);
  }
  outcome how = outcome::acquired;
  const wait::stop_wake on_stop{until.stop(), wait::wake_on_stop{n.who}};
  do wait::this_context().park(until.deadline());
  while (!step(n, m, value, until, how));
  return how == outcome::acquired ? noted(m) : how;
}

}  // namespace mortise::inline MORTISE_ABI
