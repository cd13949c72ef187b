#include <mortise/task/task_block.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include <mortise/base/fork.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/pointer_bits.hpp>
#include <mortise/base/probe.hpp>
#include <mortise/base/process_global.hpp>
#include <mortise/task/gdb_view.hpp>
#include <mortise/task/runtime_core.hpp>
#include <mortise/task/scope_core.hpp>
#include <mortise/task/task_names.hpp>
#include <mortise/task/worker.hpp>
#include <mortise/wait/observer.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {

constexpr std::size_t blocks_in_a_slab = 1024;
constexpr std::size_t slab_size = blocks_in_a_slab * sizeof(task_block);

// Behind the blocks of a slab lies the address of the one before, for who looks on.
char** link_of(char* slab) noexcept { return reinterpret_cast<char**>(slab + slab_size); }

struct blocks {
  os_mutex guard;
  char* slabs = nullptr;  // the newest
  task_block* free = nullptr;
  task_block* fresh = nullptr;
  task_block* fresh_end = nullptr;
};
constinit process_global<blocks> pool;

}  // namespace

MORTISE_FOR_GDB MORTISE_API const gdb_fact gdb_view::tasks[] = {{"table", 0, names},
                                                                {"table", 0, members},
                                                                {"table", 0, gdb_waiting},
#if !MORTISE_IS_MODEL
                                                                {"table", 0, gdb_holders},
#endif
                                                                {"pool", 0, &pool},
                                                                {"pool.slabs", offsetof(blocks, slabs)},
                                                                {"pool.fresh", offsetof(blocks, fresh)},
                                                                {"slab.blocks", blocks_in_a_slab},
                                                                {"slab.size", slab_size},
                                                                {nullptr}};

void task_block::unpark() noexcept {
  MORTISE_PROBE(unpark, static_cast<wait::parker*>(this), 0UL);
  if (wait::observers::any_of_tasks()) [[unlikely]]
    wait::observers::wakes(*this);
  state s = m_state.load(memory_order_relaxed);
  for (;;) {
    const state after = s == running ? notified : s == parked ? queued : s;
    // O1, O2; relaxed on failure: the loop looks again
    if (m_state.compare_exchange_weak(s, after, memory_order_acq_rel, memory_order_relaxed)) {
      if (s == parked) scope->home->submit(*this);  // I1
      return;
    }
  }
}

void task_block::abandon() noexcept {
  if (worker* w = worker::current(); w != nullptr) w->suspend_coroutine(nullptr, nullptr);
}

void* task_block::wake_at(nanos deadline) noexcept {
  worker& here = *worker::current();  // which runs this task
  here.limit_suspension(deadline);
  return &here.own_timers();
}

void task_block::wake_no_more(void* armed) noexcept {
  worker::end_of_limit(*this, static_cast<timers*>(armed));
}

unsigned long task_block::id() const noexcept {
  // The address tells the task apart from all others that live; shortened to what fits a line.
  return static_cast<unsigned long>(reinterpret_cast<std::uintptr_t>(this) / sizeof(task_block)) %
         1'000'000'007UL;
}

task_block& take_block() {
  hold_over_forks<pool>();
  const std::lock_guard hold{pool->guard};
  if (pool->free == nullptr) {
    if (pool->fresh == pool->fresh_end) {
      // Slabs are never freed: parkers must outlive the latest waker.
      auto* const raw = static_cast<char*>(
          ::operator new(slab_size + sizeof(char*), std::align_val_t{alignof(task_block)}));
      // Timers keep a task's address beside its round. Its last byte, for the slab has one tag and one upper half.
      require_pointer_bits(raw + slab_size - 1, "a task");
      *link_of(raw) = std::exchange(pool->slabs, raw);
      pool->fresh = reinterpret_cast<task_block*>(raw);
      pool->fresh_end = pool->fresh + blocks_in_a_slab;
    }
    return *std::construct_at(pool->fresh++);
  }
  task_block* const t = pool->free;
  pool->free = t->next;
  return *t;
}

void each_block(void (*look)(const task_block&, void*), void* with) {
  const std::lock_guard hold{pool->guard};
  for (char* slab = pool->slabs; slab != nullptr; slab = *link_of(slab)) {
    auto* const first = reinterpret_cast<const task_block*>(slab);
    const bool is_newest = slab == pool->slabs;
    const task_block* const end = is_newest ? pool->fresh : first + blocks_in_a_slab;
    for (const task_block* t = first; t != end; ++t) look(*t, with);
  }
}

void recycle(task_block& t) noexcept {
  t.m_state.store(task_block::idle,
                  memory_order_relaxed);  // late unparks do nothing; the next use is ordered by the pool
  if (t.named) [[unlikely]]
    forget_name(t);
  t.on_carrier = false;
  t.canary = false;
  t.rest = {};
  t.claims = nullptr;
  t.scope = nullptr;
  t.body = nullptr;
#if MORTISE_IS_CHAOS
  t.ran_on = task_block::nowhere;
#endif
  const std::lock_guard hold{pool->guard};
  t.next = pool->free;
  pool->free = &t;
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
