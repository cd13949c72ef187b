#include <mortise/task/task_scope.hpp>

#include <exception>

#include <mortise/task/go.hpp>
#include <mortise/task/runtime_core.hpp>
#include <mortise/wait/context.hpp>
#include <mortise/wait/subject.hpp>

namespace mortise::inline MORTISE_ABI {

task_detail::scope_core& task_detail::detached_scope(runtime& r) noexcept { return r.core().detached(); }

task_scope::task_scope() : task_scope(runtime::current()) {}

task_scope::task_scope(runtime& r) : m_core{task_detail::take_scope(r.core(), false)} {
  r.core().scope_opened();
}

task_scope::~task_scope() {
  request_stop();
  wait();
  const std::exception_ptr error = m_core.take_error();
  task_detail::runtime_core& home = *m_core.home;
  task_detail::recycle(m_core);
  home.scope_closed();
  if (error && std::uncaught_exceptions() == 0) task_detail::unjoined_exception(error);
}

bool task_scope::request_stop() noexcept { return m_core.stop.request_stop(); }
std::stop_token task_scope::get_stop_token() const noexcept { return m_core.stop.get_token(); }
bool task_scope::empty() const noexcept { return m_core.empty(); }
void task_scope::no_joiner() noexcept { m_core.joiner.store(nullptr, memory_order_seq_cst); }

void task_scope::wait() noexcept {
  if (empty()) return;
  m_core.home->check_fork();
  wait::waiter n;
  n.who = &wait::this_context().self();
  m_core.joiner.store(n.who, memory_order_seq_cst);  // S2
  wait::note_wait(n, {&m_core, "task_scope"});
  while (!empty()) wait::this_context().park(never);
  wait::note_end(n);
  no_joiner();
}

void task_scope::rethrow() {
  no_joiner();
  if (const std::exception_ptr error = m_core.take_error()) std::rethrow_exception(error);
}

void task_scope::join() {
  wait();
  rethrow();
}

bool task_scope::suspend(wait::waiter& n, void* frame, bool native) noexcept {
  wait::parker& me = wait::coroutine_parker(frame, n, native, nullptr);
  n.who = &me;
  task_detail::scope_core& core = m_core;
  core.joiner.store(&me, memory_order_seq_cst);  // S2
  wait::note_wait(n, {&core, "task_scope"});
  if (core.empty()) me.unpark();  // resumed through its parker even so: the last task may have done the same
  me.has_suspended();             // from here on the coroutine may be running elsewhere and the scope be gone
  return true;
}

}  // namespace mortise::inline MORTISE_ABI
