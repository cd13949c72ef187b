#include <mortise/shm/local_side.hpp>

#include <cstdio>
#include <mutex>

#include <mortise/base/fatal.hpp>
#include <mortise/base/fork.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/base/process_global.hpp>
#include <mortise/wait/particulars.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI::shm {
namespace {

// All that there are, for forks.
struct list {
  os_mutex guard;
  local_side* first = nullptr;

  void in_child() noexcept {
    for (local_side* s = first; s != nullptr; s = s->next) s->in_child();
  }
};
constinit process_global<list> all;

}  // namespace

local_side::local_side(const place& where, const content& what, void (*make)(void*, void*), void* argument)
    : m_region{where, what, make, argument},
      m_outer{m_region.lock(), m_region.members()},
      m_keeper{m_outer, m_region.members(), subject(false)} {
  m_region.members().me();
  hold_over_forks<all>();
  const std::lock_guard hold{all->guard};
  next = all->first;
  if (next != nullptr) next->prev = this;
  all->first = this;
}

bool local_side::is_in_use() const noexcept {
  return m_how.load(memory_order_relaxed) != nobody || m_threads.load(memory_order_relaxed) != 0 ||
         m_keeper.tasks() != 0;
}

void local_side::close(local_side* side) noexcept {
  // A process that ends in a section: the kernel frees the lock when it is gone, and whoever is next is told.
  if (side->is_in_use()) return;
  {
    const std::lock_guard hold{all->guard};
    (side->prev != nullptr ? side->prev->next : all->first) = side->next;
    if (side->next != nullptr) side->next->prev = side->prev;
  }
  delete side;
}

void local_side::in_child() noexcept {
  // Only the thread that forked has guards here; what another one held nobody in this process will unlock.
  const std::uintptr_t how = m_how.load(memory_order_relaxed);
  const bool mine = how == by_this_thread() || (m_inherited && m_heir == by_this_thread());
  m_inherited = m_inherited || how == task || how == fiber || mine;
  m_heir = mine ? by_this_thread() : nobody;
  m_how.store(nobody, memory_order_relaxed);
  m_threads.store(0, memory_order_relaxed);
  m_keeper.in_child();
}

bool local_side::try_take_slow() {
  const participant_id me = m_region.members().me();
  if (wait::on_plain_thread()) {
    if (!m_outer.try_take()) return false;
    begin(by_this_thread(), me);
    return true;
  }
  m_keeper.arrive();
  if (!m_keeper.try_lock()) {
    the_door().depart();
    return false;
  }
  begin(fiber, me);
  return true;
}

bool local_side::take_slow(nanos deadline) {
  if (!wait::on_plain_thread()) return take_as_task(wait::bound{deadline}) != outcome::timed_out;
  if (deadline != never && now_ns() >= deadline) return try_take_slow();
  if (m_how.load(memory_order_relaxed) == by_this_thread() && m_outer.is_taken_by_this_thread()) {
    if (deadline == never) {
      fatal(
          "lock of the shm::mutex \"%s\" by the thread that holds it already: it would wait for itself for ever",
          m_region.name().c_str());
    }
    sleep_this_thread_until(deadline);  // a bounded wait for oneself ends by itself
    return false;
  }
  const participant_id me = m_region.members().me();
  m_threads.fetch_add(1, memory_order_relaxed);
  bool taken = m_outer.try_take_fast();
  if (!taken) {
    // It stands in no queue of ours; who looks on sees it.
    wait::waiter n;
    n.who = &wait::this_context().self();
    wait::note_wait(n, subject(deadline != never));
    taken = m_outer.take(deadline);
    wait::note_end(n);
  }
  m_threads.fetch_sub(1, memory_order_relaxed);
  if (taken) begin(by_this_thread(), me);
  return taken;
}

// Once the region is there, its name stays, and so do the words of its lock.
void local_side::tell(const void* side, wait::particulars& to) noexcept {
  auto& me = *static_cast<const local_side*>(side);
  std::snprintf(to.name, sizeof to.name, "%s", me.m_region.name().c_str());
  to.process = me.m_region.members().process_of(me.m_outer.holder());
}

outcome local_side::take_as_task(const wait::bound& until) {
  m_keeper.arrive();
  outcome ended = outcome::acquired;
  if (const auto already = until.ended()) {
    if (!m_keeper.try_lock()) ended = *already;  // what is to be had at once is taken
  } else {
    ended = the_door().lock(until);
  }
  if (ended != outcome::acquired) {
    the_door().depart();
    return ended;
  }
  begin(wait::on_plain_thread() ? task : fiber, m_region.members().me_if_joined());
  return how();
}

void local_side::give_back_slow() noexcept {
  const std::uintptr_t taken = m_how.load(memory_order_relaxed);
  // The temptation is to ask only where nobody holds it: other parties of this process may, in their own right, as the guard ends. What
  // async_lock() took is unlocked by any thread, by this one too.
  if (taken != task && m_heir == by_this_thread() && m_inherited && wait::on_plain_thread()) {
    m_inherited = false;
  } else if (taken == task || taken == fiber) {
    m_how.store(nobody, memory_order_relaxed);  // O8
    m_outer.end_section();
    the_door().unlock();
    the_door().depart();
  } else if (taken != nobody) {
    fatal(
        "unlock of the shm::mutex \"%s\" by a thread that does not hold it: the thread that took it by lock() unlocks it",
        m_region.name().c_str());
  } else if (m_inherited) {
    m_inherited = false;
  } else {
    fatal("unlock of the shm::mutex \"%s\", which this process has not locked", m_region.name().c_str());
  }
}

}  // namespace mortise::inline MORTISE_ABI::shm
