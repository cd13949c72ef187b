#include <mortise/task/blocking_pool.hpp>

#include <cerrno>
#include <exception>
#include <mutex>
#include <system_error>
#include <utility>

#include <mortise/base/fatal.hpp>
#include <mortise/base/futex.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/task/runtime_core.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

void blocking_pool::begin(blocking_call& c, wait::parker& waits) {
  const atomic<std::uint32_t>* bell = nullptr;
  {
    const std::lock_guard hold{guard};
    c.waits = &waits;
    if (m_idle != nullptr) {
      seat& s = *std::exchange(m_idle, m_idle->below);
      s.call = &c;
      bell = &s.called;
      s.called.store(1, memory_order_release);  // O2
    } else if (m_threads == m_most || !start(c)) {
      if (m_threads == 0) {
        throw std::system_error(EAGAIN, std::generic_category(), "mortise: no thread for a call that blocks");
      }
      (m_last == nullptr ? m_first : m_last->next) = &c;  // keeps I1
      m_last = &c;
    }
  }
  if (bell != nullptr) futex_wake(*bell, 1);
}

// Under the lock, so that nobody counts on a thread that then cannot be had.
bool blocking_pool::start(blocking_call& first) {
  try {
    os_thread t([this, &first] { serve(&first); });
    name_thread(t, "mortise-blocks");
    t.detach();
  } catch (const std::exception&) {
    return false;
  }
  ++m_threads;
  return true;
}

void blocking_pool::serve(blocking_call* c) noexcept {
  while (c != nullptr) {
    const unsigned generation = forks_come_through();
    c->run(*c);
    if (generation != forks_come_through()) {
      fatal(
          "a call made with blocking() has forked and returns in the child, which has nobody who waits for it: end the child "
          "with exec or _exit");
    }
    c = next_after(*c);
  }
}

// Null: this thread leaves.
blocking_call* blocking_pool::next_after(blocking_call& finished) noexcept {
  wait::parker* told = nullptr;
  blocking_call* next = nullptr;
  seat mine;
  {
    const std::lock_guard hold{guard};
    told = finished.waits;
    finished.done.store(true, memory_order_release);  // O1
    next = m_first;
    if (next != nullptr) {
      m_first = next->next;
      if (m_first == nullptr) m_last = nullptr;
    } else {
      mine.below = std::exchange(m_idle, &mine);
    }
  }
  told->unpark();
  return next != nullptr ? next : idle(mine);
}

blocking_call* blocking_pool::idle(seat& mine) noexcept {
  const nanos until = now_ns() + m_idle_time;
  while (mine.called.load(memory_order_acquire) == 0) {  // O2
    if (now_ns() < until) {
      futex_wait(mine.called, 0, until);
      continue;
    }
    const std::lock_guard hold{guard};
    if (mine.call != nullptr) break;  // keeps I2
    leave(mine);
    return nullptr;
  }
  return mine.call;
}

void blocking_pool::leave(const seat& mine) noexcept {
  seat** at = &m_idle;
  while (*at != &mine) at = &(*at)->below;
  *at = mine.below;
  --m_threads;
}

void blocking_pool::forget(blocking_call& c) noexcept {
  {
    const std::lock_guard hold{guard};
    blocking_call* before = nullptr;
    for (blocking_call* i = m_first; i != nullptr; before = std::exchange(i, i->next)) {
      if (i != &c) continue;
      (before == nullptr ? m_first : before->next) = c.next;
      if (m_last == &c) m_last = before;
      return;
    }
    c.waits = &wait::this_context().self();
  }
  while (!c.done.load(memory_order_acquire)) wait::this_context().park(never);  // O1
}

unsigned blocking_pool::threads() noexcept {
  const std::lock_guard hold{guard};
  return m_threads;
}

void blocking_pool::in_child() noexcept {
  m_threads = 0;
  m_idle = nullptr;
  m_first = m_last = nullptr;
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
