#include "station.hpp"

#include <cstdio>
#include <cstdlib>

#include <mortise/wait/context.hpp>

namespace soak {

const char* to_string(kind k) noexcept {
  switch (k) {
    case kind::nobody: return "nobody";
    case kind::conductor: return "conductor";
    case kind::thread: return "thread";
    case kind::fiber: return "fiber";
    case kind::task: return "task";
    case kind::foreign: return "foreign coroutine";
  }
  return "?";
}

const char* to_string(act a) noexcept {
  switch (a) {
    case act::starting: return "starting";
    case act::lock: return "lock";
    case act::try_lock: return "try_lock";
    case act::try_lock_for: return "try_lock_for";
    case act::try_lock_until: return "try_lock_until";
    case act::async_lock: return "async_lock";
    case act::sleep_while_holding: return "sleep while holding";
    case act::stoppable_sleep: return "sleep with a stop token";
    case act::sleep: return "sleep";
    case act::join_a_scope: return "stop and join a scope";
    case act::destroy_a_frame: return "destroy a frame that waits";
    case act::renew_a_mutex: return "destroy a mutex and make it anew";
    case act::wait_for_a_generation: return "wait for a new mutex";
    case act::change_threads: return "change threads";
    case act::let_a_round_run: return "let a round run";
    case act::join_threads: return "join the threads";
    case act::join_tasks: return "join the tasks";
    case act::join_detached: return "wait for what nobody joins";
    case act::close_the_runtime: return "close the runtime";
  }
  return "?";
}

void station::take(kind k) noexcept {
  m_node.store(nullptr, std::memory_order_relaxed);
  m_victim.store(nullptr, std::memory_order_relaxed);
  // A foreign coroutine waits by a ticket, a new one each time, and runs on whatever thread it is resumed on.
  if (k == kind::foreign) {
    m_parker.store(nullptr, std::memory_order_relaxed);
    m_id.store(m_turn, std::memory_order_relaxed);
  } else {
    const mortise::wait::parker& me = mortise::wait::this_context().self();
    m_parker.store(&me, std::memory_order_relaxed);
    m_id.store(me.id(), std::memory_order_relaxed);
  }
  announce(act::starting);
  m_kind.store(k, std::memory_order_relaxed);
}

board::board() {
  for (unsigned i = size; i-- != 0;) m_free.push_back(i);
}

station& board::take(kind k) {
  unsigned i = 0;
  {
    const std::lock_guard hold{m_guard};
    if (m_free.empty()) {
      std::fprintf(stderr, "soak: more than %u parties at once\n", size);
      std::abort();
    }
    i = m_free.back();
    m_free.pop_back();
  }
  m_all[i].take(k);
  return m_all[i];
}

void board::give_back(station& s) noexcept {
  s.m_kind.store(kind::nobody, std::memory_order_relaxed);
  const std::lock_guard hold{m_guard};
  m_free.push_back(number_of(s));
}

void board::run_late_jobs() {
  for (station& s : m_all) s.jobs().run_all();
}

board& the_board() {
  static board& b = *new board;
  return b;
}

}  // namespace soak
