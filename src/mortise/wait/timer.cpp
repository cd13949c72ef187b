// One thread, one heap of deadlines under one lock: for the few parties that have no worker of their own.
//
// Ordering. m_alarm counts the changes of the earliest deadline, under the lock, so the thread that read it under the lock sleeps on no
// older one; relaxed, since the lock orders it and the kernel compares it again.
#include <mortise/wait/timer.hpp>

#include <mutex>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

#include <mortise/base/atomic.hpp>
#include <mortise/base/fatal.hpp>
#include <mortise/base/fork.hpp>
#include <mortise/base/futex.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/base/process_global.hpp>

namespace mortise::inline MORTISE_ABI::wait {

class timer_service {
 public:
  constexpr timer_service() = default;

  void arm(timer& t) noexcept {
    const std::lock_guard hold{guard};
    try {
      if (!m_started) {
        os_thread([this] { serve(); }).detach();
        m_started = true;
      }
      m_heap.push_back(&t);
    } catch (const std::bad_alloc&) {
      fatal("no memory for the deadline of a wait");
    } catch (const std::system_error&) {
      fatal("no thread for the deadlines of coroutines that belong to no runtime");
    }
    t.m_place = m_heap.size() - 1;
    rise(t.m_place);
    if (m_heap.front() == &t) ring();
  }

  void disarm(timer& t) noexcept {
    const std::lock_guard hold{guard};
    if (t.m_place != timer::nowhere) take_out(t.m_place);
  }

  // The child has no such thread. Its own timers stay; the next one that is armed starts a thread.
  void in_child() noexcept { m_started = false; }

  os_mutex guard;

 private:
  void serve() noexcept {
    for (;;) {
      parker* due = nullptr;
      nanos next = never;
      std::uint32_t seen = 0;
      {
        const std::lock_guard hold{guard};
        if (!m_heap.empty()) next = m_heap.front()->m_at;
        if (next <= now_ns()) {
          due = m_heap.front()->m_who;
          take_out(0);
        }
        seen = m_alarm.load(memory_order_relaxed);
      }
      // Parkers are never freed, so one that is told too late is no harm; an executor's `post` may want our lock.
      if (due != nullptr) {
        due->unpark();
      } else {
        futex_wait(m_alarm, seen, next);
      }
    }
  }

  void ring() noexcept {
    m_alarm.store(m_alarm.load(memory_order_relaxed) + 1, memory_order_relaxed);
    futex_wake(m_alarm, 1);
  }

  void take_out(std::size_t place) noexcept {
    m_heap[place]->m_place = timer::nowhere;
    timer* const last = m_heap.back();
    m_heap.pop_back();
    if (place == m_heap.size()) return;
    m_heap[place] = last;
    last->m_place = place;
    rise(place);
    sink(last->m_place);
  }

  void swap(std::size_t a, std::size_t b) noexcept {
    std::swap(m_heap[a], m_heap[b]);
    m_heap[a]->m_place = a;
    m_heap[b]->m_place = b;
  }

  void rise(std::size_t i) noexcept {
    for (; i != 0 && m_heap[i]->m_at < m_heap[(i - 1) / 2]->m_at; i = (i - 1) / 2) swap(i, (i - 1) / 2);
  }

  void sink(std::size_t i) noexcept {
    for (;;) {
      std::size_t least = 2 * i + 1;
      if (least >= m_heap.size()) return;
      if (least + 1 < m_heap.size() && m_heap[least + 1]->m_at < m_heap[least]->m_at) ++least;
      if (m_heap[i]->m_at <= m_heap[least]->m_at) return;
      swap(i, least);
      i = least;
    }
  }

  std::vector<timer*> m_heap;
  bool m_started = false;
  atomic<std::uint32_t> m_alarm{0};
};

namespace {
constinit process_global<timer_service> service;
}  // namespace

void timer::arm(parker& who, nanos at) noexcept {
  hold_over_forks<service>();
  m_who = &who;
  m_at = at;
  service->arm(*this);
}

void timer::take_back() noexcept {
  service->disarm(*this);
  m_who = nullptr;  // the service reads it as long as this is in its heap
}

}  // namespace mortise::inline MORTISE_ABI::wait
