// What a coroutine asks of its worker, each called by an awaiter in the middle of a step; the worker acts on it after the step
// (worker_tasks.cpp).
#include <coroutine>

#include <mortise/task/runtime_core.hpp>
#include <mortise/task/spawn.hpp>
#include <mortise/task/worker.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

wait::parker* worker::suspend_coroutine(void* frame, wait::waiter* node) noexcept {
  if (m_running == nullptr || m_running->kind != wait::party::coroutine) return nullptr;
  if (frame == nullptr) {
    m_step_carrier->end = step_end::elsewhere;
    m_running->claims = nullptr;
    return nullptr;
  }
  if (root_of(frame) != m_running) return nullptr;
  m_home.check_fork();
  m_running->claims = node;
  m_step_carrier->end = step_end::suspended;
  m_running->rest.set(frame);
  return m_running;
}

void worker::limit_suspension(nanos deadline) noexcept {
  // Without memory for a timer the coroutine asks again and again: awake, but no less right.
  if (!m_timers.add(deadline, *m_running)) m_running->unpark();
}

bool worker::sleep_coroutine(void* frame, nanos deadline) noexcept {
  if (m_running == nullptr || root_of(frame) != m_running) return false;
  m_home.check_fork();
  m_running->rest.set(frame);
  m_sleeps_until = deadline;
  m_step_carrier->end = step_end::asleep;
  return true;
}

bool worker::yield_coroutine(void* frame) noexcept {
  if (m_running == nullptr || root_of(frame) != m_running) return false;
  m_running->rest.set(frame);
  m_step_carrier->end = step_end::yielded;
  return true;
}

void worker::root_finished(task_block& t, void* frame) noexcept {
  if (worker* const w = current(); w != nullptr && w->m_running == &t) {
    t.rest.set(frame);
    w->m_step_carrier->end = step_end::finished;
    return;
  }
  // The coroutine was resumed by someone else, outside of our workers, and has ended there.
  closure* const body = t.body;
  scope_core& s = *t.scope;
  std::coroutine_handle<>::from_address(frame).destroy();
  if (body != nullptr) body->destroy(*body);
  recycle(t);
  s.count_out();
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
