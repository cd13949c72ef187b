#include <mortise/task/blocking.hpp>

#include <mortise/base/fork.hpp>
#include <mortise/base/process_global.hpp>
#include <mortise/task/runtime_core.hpp>
#include <mortise/task/worker.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {
constinit process_global<blocking_pool> pool;
}  // namespace

bool shares_its_thread() noexcept { return wait::this_context().kind() != wait::party::thread; }

void begin_elsewhere(blocking_call& c, wait::parker& waits) {
  hold_over_forks<pool>();
  if (worker* const w = worker::current(); w != nullptr) w->home().check_fork();
  pool->begin(c, waits);
}

void call_elsewhere(blocking_call& c) {
  begin_elsewhere(c, wait::this_context().self());
  // Asked for again each time: after a park a fiber may be on another OS thread.
  while (!c.done.load(memory_order_acquire)) wait::this_context().park(never);  // O1 of the pool
}

void forget_elsewhere(blocking_call& c) noexcept { pool->forget(c); }

}  // namespace mortise::inline MORTISE_ABI::task_detail
