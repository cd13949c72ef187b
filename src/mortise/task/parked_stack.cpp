// Who looks at a parked fiber does what a worker does that runs it: takes it from `parked` to `running` and, when it is done, parks it again, or
// queues it where it was woken in between (task_block.hpp). So nobody else is on its stack, which is there for as long as the fiber is, and an
// unpark finds what it always finds. The temptation is to copy the stack and look at the state again afterwards: the copy would have to be unwound
// by somebody who can unwind what is not his own, and a stack that is given back may have no pages.
#include <mortise/task/parked_stack.hpp>

#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include <mortise/base/sanitizers.hpp>
#include <mortise/task/runtime_core.hpp>
#include <mortise/task/scope_core.hpp>
#include <mortise/task/switch.hpp>
#include <mortise/task/task_block.hpp>
#include <mortise/task/valgrind.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {

// For `look`, and for what the dynamic linker may put on top of it.
constexpr std::size_t room = 12 << 10;

bool call_on_its_stack(const task_block& t, void (*look)(void*), void* with) noexcept {
  if (t.kind != wait::party::fiber) return false;
  const auto top = reinterpret_cast<std::uintptr_t>(t.body);  // its stack begins below what it runs
  const std::uintptr_t base = top & ~(t.scope->home->stacks().size() - 1);
  const auto guard = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  if (reinterpret_cast<std::uintptr_t>(t.rest.where()) < base + guard + room) return false;
  call_on_top(t.rest, look, with);
  return true;
}

}  // namespace

bool call_where_parked(const wait::parker& who, void (*look)(void*), void* with) noexcept {
  if (sanitized || MORTISE_KNOWS_VALGRIND) return false;
  auto* const t = dynamic_cast<task_block*>(const_cast<wait::parker*>(&who));
  task_block::state s = task_block::parked;
  // O2
  if (t == nullptr ||
      !t->m_state.compare_exchange_strong(s, task_block::running, memory_order_acquire, memory_order_relaxed))
    return false;
  const bool done = call_on_its_stack(*t, look, with);
  s = task_block::running;
  if (t->m_state.compare_exchange_strong(s, task_block::parked, memory_order_release, memory_order_relaxed))
    return done;                                                  // O2
  t->m_state.exchange(task_block::queued, memory_order_acq_rel);  // a permit has come; O1, keeps I1
  t->scope->home->submit(*t);
  return done;
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
