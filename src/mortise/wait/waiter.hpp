#pragma once

#include <cstdint>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::wait {

class offer;  // offer.hpp

// One waiting party in one queue. Lives on the party's stack or in its coroutine frame; every field but the
// first is read and written under the queue's lock only.
struct waiter {
  plain<parker*> who = nullptr;   // never freed; the waker copies it out before it lets the queue go
  plain<waiter*> next = nullptr;  // towards the tail; the tail's is null
  plain<waiter*> prev =
      nullptr;             // towards the head; the head's is the tail, so that both ends are one load away
  plain<nanos> since = 0;  // by the age clock, when it began to wait; 0: it is in no queue
  // By the age clock, when it was last told to come and claim; 0: no such wake is in flight.
  plain<nanos> offered = 0;

  plain<std::uint8_t> mode = 0;  // what it came for, where a lock can be had in several ways

  // It has waited long, came when it was told, and found the lock taken: from now on nobody goes before it.
  plain<bool> insists = false;

  // Whoever made it has noted its wait, and notes the end (subject.hpp). Else a mutex does, for those in its queue: the wait may be for more.
  bool notes_its_end = false;

  // For parties that cannot run their own waiting loop (coroutines, callbacks): what their wake does for
  // them.
  //   claim  take what was offered; false: nothing was to be had, the party stays queued and asleep
  //   leave  the party will never run again: leave the queue and pass on what was offered
  enum class request : unsigned char { claim, leave };
  bool (*step)(waiter&, request) noexcept = nullptr;

  bool queued() const noexcept { return since != 0; }
};

// The queue is a pointer to the head, kept by the lock in its own word. These return the new head.

inline waiter* push_back(waiter* head, waiter& n) noexcept {
  n.next = nullptr;
  if (head == nullptr) {
    n.prev = &n;
    return &n;
  }
  n.prev = head->prev;
  head->prev->next = &n;
  head->prev = &n;
  return head;
}

inline waiter* push_front(waiter* head, waiter& n) noexcept {
  n.next = head;
  n.prev = head == nullptr ? &n : static_cast<waiter*>(head->prev);
  if (head != nullptr) head->prev = &n;
  return &n;
}

// Takes `n` out, wherever it stands, in constant time.
inline waiter* remove(waiter* head, waiter& n) noexcept {
  n.since = 0;
  if (&n == head) {
    if (n.next != nullptr) n.next->prev = n.prev;
    return n.next;
  }
  n.prev->next = n.next;
  waiter* const behind = n.next;
  (behind != nullptr ? behind : head)->prev = n.prev;
  return head;
}

}  // namespace mortise::inline MORTISE_ABI::wait
