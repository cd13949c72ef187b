#include <mortise/task/spawn.hpp>

#include <cstdint>
#include <new>

#include <mortise/base/cache_line.hpp>
#include <mortise/task/runtime_core.hpp>
#include <mortise/task/worker.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {

task_block& new_block() {
  try {
    return take_block();
  } catch (const std::bad_alloc&) {
    throw std::system_error(std::make_error_code(std::errc::not_enough_memory),
                            "mortise::go: no memory for a task");
  }
}

void start(task_block& t) noexcept {
  scope_core& s = *t.scope;
  // relaxed: the scope's owner is the caller, or a task that the scope counts already
  s.live.fetch_add(1, memory_order_relaxed);
  t.m_state.store(task_block::queued, memory_order_relaxed);  // published by the run queue or the inbox
  s.home->submit(t);
}

// All stacks end at the same place of a page, and a cache finds its sets by that: what a thousand fibers have on top of their stacks would share
// 32 of 2,048. So each begins at another line.
std::size_t colour(const stack_pool::stack& s, std::size_t stack_size) noexcept {
  constexpr std::size_t colours = 16;
  return reinterpret_cast<std::uintptr_t>(s.base) / stack_size % colours * cache_line;
}

}  // namespace

unborn_fiber make_fiber(scope_core& scope, std::size_t size, std::size_t alignment) {
  runtime_core& home = *scope.home;
  home.check_fork();
  task_block& t = new_block();
  t.scope = &scope;
  t.kind = wait::party::fiber;
  const std::size_t stack_size = home.stacks().size();
  if (size > stack_size / 2) {
    recycle(t);
    throw std::system_error(std::make_error_code(std::errc::argument_list_too_long),
                            "mortise::go: the closure takes more than half of the fiber's stack");
  }
  stack_pool::stack memory{};
  try {
    memory = home.stacks().take();
  } catch (...) {
    recycle(t);
    throw;
  }
  t.canary = memory.canary;
  const auto top = reinterpret_cast<std::uintptr_t>(memory.base) + stack_size - colour(memory, stack_size);
  const std::uintptr_t room = (top - size) & ~std::uintptr_t{std::max<std::size_t>(alignment, 16) - 1};
  t.body = reinterpret_cast<closure*>(room);
  t.rest = make_stack<&worker::fiber_main>(memory.base, reinterpret_cast<char*>(room));
  name_stack(t.rest, "fiber", t.id());
  return {&t, t.body};
}

task_block& make_coroutine(scope_core& scope) {
  scope.home->check_fork();
  task_block& t = new_block();
  t.scope = &scope;
  t.kind = wait::party::coroutine;
  return t;
}

void start_fiber(task_block& t, closure& body) noexcept {
  t.body = &body;
  start(t);
}

void start_coroutine(task_block& t, void* frame, closure* body) noexcept {
  t.rest.set(frame);
  t.body = body;
  start(t);
}

void discard(task_block& t) noexcept {
  if (t.kind == wait::party::fiber) {
    stack_pool& stacks = t.scope->home->stacks();
    auto* const base =
        reinterpret_cast<char*>(reinterpret_cast<std::uintptr_t>(t.body) & ~(stacks.size() - 1));
    drop_stack(t.rest);
    stacks.give_back({base, t.canary}, t.id());
  }
  recycle(t);
}

std::stop_token stop_token_of(scope_core& s) noexcept { return s.stop.get_token(); }

task_block* root_of(void* frame) noexcept {
  for (;;) {
    // promise_base is the first base of every promise of ours, so the frame's promise is found through it.
    const std::uintptr_t then = std::coroutine_handle<promise_base>::from_address(frame).promise().m_then;
    if ((then & promise_base::root_bit) != 0)
      return reinterpret_cast<task_block*>(then & ~promise_base::root_bit);
    if (then == 0 || (then & promise_base::foreign_bit) != 0) return nullptr;
    frame = reinterpret_cast<void*>(then);
  }
}

void root_ended(task_block& root, void* frame, std::exception_ptr error) noexcept {
  if (error) root.scope->failed(std::move(error));
  worker::root_finished(root, frame);
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
