// A list that is changed under a lock and read without one: who is taken out keeps its link, so that a reader that is there goes on from it.
//
// Orderings  O1 observe's store of `first`, or of the link before, is a release <-> each's loads are acquires: the observer is seen as it
//               was made. any() and any_of_tasks() only ask whether there is one.
#include <mortise/wait/observer.hpp>

#include <algorithm>
#include <mutex>

#include <mortise/base/os_mutex.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/base/per_thread.hpp>
#include <mortise/base/probe.hpp>
#include <mortise/base/process_global.hpp>

namespace mortise::inline MORTISE_ABI::wait {
namespace {
constinit process_global<os_mutex> changes;
}  // namespace

constinit atomic<observer*> observers::first{nullptr};
constinit atomic<unsigned> observers::of_tasks{0};
MORTISE_PER_THREAD(unsigned) untold{0};

void observe(observer& o) noexcept {
  const std::lock_guard hold{*changes};
  if (o.m_is_told) return;
  o.m_is_told = true;
  o.m_next.store(observers::first.load(memory_order_relaxed),
                 memory_order_relaxed);              // changed under the lock only
  observers::first.store(&o, memory_order_release);  // O1
  if (o.m_of == observer::of::tasks_too) observers::of_tasks.fetch_add(1, memory_order_relaxed);
}

void ignore(observer& o) noexcept {
  const std::lock_guard hold{*changes};
  if (!o.m_is_told) return;
  o.m_is_told = false;
  if (o.m_of == observer::of::tasks_too) observers::of_tasks.fetch_sub(1, memory_order_relaxed);
  atomic<observer*>* link = &observers::first;
  while (link->load(memory_order_relaxed) != &o) link = &link->load(memory_order_relaxed)->m_next;
  link->store(o.m_next.load(memory_order_relaxed), memory_order_release);  // O1
}

struct observers::walk {
  template <class Tell>
  static void each(Tell tell) noexcept {
    for (observer* o = first.load(memory_order_acquire); o != nullptr;) {  // O1
      observer* const next = o->m_next.load(memory_order_acquire);         // O1
      tell(*o);
      o = next;
    }
  }
  template <class Tell>
  static void each_of_tasks(Tell tell) noexcept {
    each([&](observer& o) {
      if (o.m_of == observer::of::tasks_too) tell(o);
    });
  }
};

void note_wait(const waiter& n, const subject& s) noexcept {
  MORTISE_PROBE(contention, s.what, s.kind, n.who);
  if (observers::any()) observers::walk::each([&](observer& o) { o.waits(n, s); });
}
void note_end(const waiter& n) noexcept {
  MORTISE_PROBE(wait_over, n.who);
  if (observers::any()) observers::walk::each([&](observer& o) { o.waits_no_more(n); });
}
void observers::tell_moved(const waiter& n, subject s) noexcept {
  walk::each([&](observer& o) { o.moves(n, s); });
}
void observers::tell_taken(const waiter& n, subject s) noexcept {
  walk::each([&](observer& o) {
    if (!n.notes_its_end) o.waits_no_more(n);
    o.took(s);
  });
}
void observers::tell_freed(subject s, nanos since) noexcept {
  walk::each([&](observer& o) { o.freed(s, since); });
}
void observers::tell_back(subject s) noexcept {
  walk::each([&](observer& o) { o.comes_back(s); });
}
void observers::goes_on(subject s, bool takes_turns, bool turn_is_over) noexcept {
  if (!takes_turns) return tell_freed(s, 0);
  unsigned next = observer::unlimited;
  walk::each([&](observer& o) { next = std::min(next, o.goes_on(s)); });
  store_any_thread(untold, next);
  if (!turn_is_over) return;
  yield_this_thread();
  tell_back(s);
}
void observers::enters(const parker& task, party kind, unsigned worker) noexcept {
  walk::each_of_tasks([&](observer& o) { o.enters(task, kind, worker); });
}
void observers::leaves(const parker& task, const char* how) noexcept {
  walk::each_of_tasks([&](observer& o) { o.leaves(task, how); });
}
void observers::wakes(const parker& who) noexcept {
  walk::each_of_tasks([&](observer& o) { o.wakes(who); });
}

}  // namespace mortise::inline MORTISE_ABI::wait
