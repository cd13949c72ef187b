// How coroutines wait for a mutex; what they do in its queue is in mutex.cpp.
#include <mortise/lock/mutex.hpp>

#include <mortise/wait/budget.hpp>
#include <mortise/wait/coroutine.hpp>
#include <mortise/wait/subject.hpp>

namespace mortise::inline MORTISE_ABI {

// A coroutine waits. False: it has the lock and goes on at once.
bool mutex::suspend(wait::waiter& n, void* frame, bool native, wait::executor* where) noexcept {
  const bool go_on = wait::budget_left() >= 0 || wait::refill_budget();
  n.who = &wait::coroutine_parker(frame, n, native, where);
  wait::parker* const who = n.who;
  if (!go_on) {
    who->unpark();  // resumed behind the others that are runnable, it competes then
  } else if (take_or_queue(n)) {
    n.who = nullptr;
    who->abandon();
    return false;
  }
  if (go_on) wait::note_wait(n, {this, "mutex"});
  who->has_suspended();  // from here on the frame may be running elsewhere
  return true;
}

// A coroutine was woken. True: it has the lock.
bool mutex::resume(wait::waiter& n) noexcept {
  const bool gave_way = !n.queued();
  if (claim(n)) return true;
  if (gave_way) wait::note_wait(n, {this, "mutex"});
  return false;
}

// The frame of a coroutine that waits, or gave way first, is being destroyed.
void mutex::forget(wait::waiter& n) noexcept {
  if (n.queued()) leave(n);
  n.who->abandon();
}

}  // namespace mortise::inline MORTISE_ABI
