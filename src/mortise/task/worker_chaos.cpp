// What a worker does in a chaos build only.
#include <mortise/task/runtime_core.hpp>
#include <mortise/task/worker.hpp>

#if MORTISE_IS_CHAOS

#include <mortise/base/chaos.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

// True: `t` ran here last and was given to another worker.
bool worker::send_on(task_block& t) noexcept {
  const unsigned n = m_home.workers();
  if (t.ran_on != m_index || n == 1 || !chaos_has(chaos::migrate)) return false;
  const unsigned to = (m_index + 1 + chaos_pick(n - 1)) % n;
  m_home.worker_at(to).m_tray.put(t);
  if (m_home.no_longer_idle(to)) {
    m_home.worker_at(to).wake();
  } else {
    m_home.wake_one();  // that one may be stuck: whoever is idle then looks at the trays from time to time
  }
  return true;
}

task_block* worker::from_trays() noexcept {
  if (task_block* const t = m_tray.take(); t != nullptr) {
    migrations::forced.fetch_add(1, std::memory_order_relaxed);
    return t;
  }
  for (unsigned i = 0; i < m_home.workers(); ++i) {
    task_block* const t = m_home.worker_at(i).m_tray.take_back();
    if (t == nullptr) continue;
    (t->ran_on == m_index ? migrations::taken_back : migrations::forced)
        .fetch_add(1, std::memory_order_relaxed);
    return t;
  }
  return nullptr;
}

bool worker::trays_filled() const noexcept {
  for (unsigned i = 0; i < m_home.workers(); ++i) {
    if (m_home.worker_at(i).m_tray.filled()) return true;
  }
  return false;
}

// Takes from whoever has something, whether that one needs help or not. True: something is in our queue.
bool worker::raid() noexcept {
  const unsigned n = m_home.workers();
  const unsigned first = chaos_pick(n);
  for (unsigned i = 0; i < n; ++i) {
    worker& peer = m_home.worker_at((first + i) % n);
    if (&peer == this) continue;
    const bool some = peer.m_queue.steal_into(m_queue) != 0;
    const unsigned overdue =
        some ? 0
             : peer.m_timers.advance_as_peer(m_now, m_queue.room(),
                                             [this](task_block& t, std::uint16_t round, nanos) noexcept {
                                               if (fired(t, round)) enqueue(t);
                                             });
    if (some || overdue != 0) return true;
  }
  return false;
}

}  // namespace mortise::inline MORTISE_ABI::task_detail

#endif
