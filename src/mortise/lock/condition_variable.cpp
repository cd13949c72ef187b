// Who waits for a notification, in a queue; who was notified, in its mutex's.
//
// A section of ours may take the queue lock of the mutex, never the other way round. Who was notified finds that out in a section (still_waits),
// so after the one that notified it, which is the last that a notification does to us.
#include <mortise/lock/condition_variable.hpp>

#include <mortise/wait/observer.hpp>
#include <mortise/wait/subject.hpp>

namespace mortise::inline MORTISE_ABI {

using section = wait::queue::section;

void condition_variable::begin(wait::waiter& n, mutex* m, bool has_deadline) noexcept {
  if (n.who == nullptr) n.who = &wait::this_context().self();
  // Before it is in the queue: who notifies it notes what it waits for then.
  wait::note_wait(n, {this, "condition_variable", has_deadline});
  section in{m_queue};
  if (in.head() == nullptr) m_mutex = m;
  n.mode = m != nullptr && m == m_mutex ? waits : waits_alone;
  in.push_back(n);
}

void condition_variable::notify(bool all) noexcept {
  const nanos latest = age_clock_now();  // who comes while we are at it is not meant
  for (bool more = true; more;) {
    wait::offer next;
    {
      section in{m_queue};
      for (;;) {
        wait::waiter* const n = in.head();
        more = n != nullptr && n->since <= latest;
        if (!more) break;
        if (next.is_full()) break;
        const bool alone = n->mode == waits_alone;
        in.remove(*n, this);
        n->mode = notified;
        if (alone) {
          next.tell(*n, latest);
        } else {
          m_mutex->enqueue(*n, next);
          wait::observers::moved(*n, {m_mutex, "mutex"});
        }
        if (!all) {
          more = false;
          break;
        }
      }
    }
    next.wake();
  }
}

// Whether `n` has been neither notified nor, as its bound has come, given up: then `how` is set.
bool condition_variable::still_waits(wait::waiter& n, const wait::bound& until, outcome& how) noexcept {
  section in{m_queue};
  if (n.mode != waits && n.mode != waits_alone) return false;
  const auto ended = until.ended();
  if (!ended) return true;
  in.remove(n, this);
  n.mode = gave_up;
  how = *ended;
  return false;
}

outcome condition_variable::wait_and_lock(wait::waiter& n, mutex& m, const wait::bound& until) noexcept {
  m.noted_wait();  // however the wait for a notification is bounded, that for the mutex is not
  outcome how = outcome::acquired;
  {
    const wait::stop_wake on_stop{until.stop(), wait::wake_on_stop{n.who}};
    do wait::this_context().park(until.deadline());
    while (still_waits(n, until, how));
  }
  // `n` is in the mutex's queue, or in none.
  if (!n.queued()) {
    wait::note_end(n);
    m.lock();
    return how;
  }
  while (!mutex::exclusive{m}.claim(n)) wait::this_context().park(never);
  m.noted();
  return how;
}

outcome condition_variable::wait_alone(wait::waiter& n, const wait::bound& until) noexcept {
  outcome how = outcome::acquired;
  const wait::stop_wake on_stop{until.stop(), wait::wake_on_stop{n.who}};
  do wait::this_context().park(until.deadline());
  while (still_waits(n, until, how));
  wait::note_end(n);
  return how;
}

// A coroutine was woken. True: the mutex is held.
bool condition_variable::step(wait::waiter& n, mutex& m, const wait::bound& until, outcome& how) noexcept {
  if (still_waits(n, until, how)) return false;
  if (n.queued()) return m.claim(n);
  wait::note_end(n);
  if (m.take_or_queue(n)) return true;
  wait::note_wait(n, {&m, "mutex"});
  return false;
}

// A coroutine that waits is destroyed, or will never run: what it was told goes to another.
void condition_variable::forget(wait::waiter& n, mutex& m) noexcept {
  {
    section in{m_queue};
    if (n.mode == waits || n.mode == waits_alone) {
      in.remove(n, this);
      n.mode = gave_up;
    }
  }
  n.queued() ? m.leave(n) : wait::note_end(n);
  if (n.mode == notified) notify_one();
}

}  // namespace mortise::inline MORTISE_ABI
