#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <mortise/base/atomic.hpp>
#include <mortise/base/cache_line.hpp>
#include <mortise/base/fork.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/scope_core.hpp>
#include <mortise/task/stack.hpp>
#include <mortise/task/stall_watch.hpp>
#include <mortise/task/task_block.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

class worker;

// What the workers of one runtime share: the inbox for tasks that come from elsewhere, and who is idle.
//
// Wake ledger: who puts a task into the inbox owes a wake, if a worker is idle. Dekker (R1): the sender
// counts the inbox up, then reads the idle count; a worker counts itself idle, then reads the inbox count.
// All four are seq_cst RMWs or loads, so either the worker sees the task or the sender sees the worker. aarch64: an
// RMW made of ldaxr and stlxr is no full barrier, so the loads have to be seq_cst too (ldar, which waits for stlxr).
class runtime_core {
 public:
  runtime_core(runtime_options options, runtime& owner);
  ~runtime_core();
  runtime_core(const runtime_core&) = delete;
  runtime_core& operator=(const runtime_core&) = delete;

  // Makes a queued task run: in the calling worker's own queue if it is one of ours, through the inbox
  // otherwise.
  void submit(task_block& t) noexcept;

  // For workers. Moves up to `limit` tasks of the inbox; returns how many.
  unsigned take_from_inbox(worker& w, unsigned limit) noexcept;
  bool inbox_filled() const noexcept { return m_inbox_size.load(memory_order_seq_cst) != 0; }  // R1
  void send(task_block& t) noexcept;
  void put_into_inbox(task_block& t) noexcept;  // and then a wake is owed: wake_one or wake_first
  void wake_first() noexcept;

  void became_idle(unsigned index) noexcept;
  // False: somebody has taken it out of the idle ones already, to wake it.
  bool no_longer_idle(unsigned index) noexcept;
  unsigned idle() const noexcept { return m_idle_count.load(memory_order_seq_cst); }  // R1
  void wake_one() noexcept;

  bool stopping() const noexcept { return m_stopping.load(memory_order_acquire); }
  worker& worker_at(unsigned i) noexcept { return *m_workers[i]; }
  unsigned workers() const noexcept { return static_cast<unsigned>(m_workers.size()); }
  const runtime_options& options() const noexcept { return m_options; }
  runtime& owner() noexcept { return m_owner; }
  scope_core& detached() noexcept { return *m_detached; }
  stack_pool& stacks() noexcept { return m_stacks; }
  stack_pool& carrier_stacks() noexcept { return m_carrier_stacks; }

  void scope_opened() noexcept { m_scopes.fetch_add(1, memory_order_relaxed); }
  void scope_closed() noexcept { m_scopes.fetch_sub(1, memory_order_release); }  // its tasks are joined

  // Ends the program if this runtime was inherited by a fork.
  void check_fork() const noexcept {
    if (m_generation != forks_come_through()) [[unlikely]]
      inherited();
  }

 private:
  friend struct gdb_view;
  [[noreturn]] void inherited() const noexcept;
  void join_detached() noexcept;
  void watch_for_stalls() noexcept;

  static constexpr unsigned most_workers = 1024;

  runtime& m_owner;
  runtime_options m_options;
  unsigned m_generation;
  scope_core* m_detached = nullptr;
  stack_pool m_stacks;
  stack_pool m_carrier_stacks;
  std::vector<std::unique_ptr<worker>> m_workers;
  std::vector<os_thread> m_threads;
  std::unique_ptr<stall_watch> m_watch;
  atomic<unsigned> m_scopes{0};
  atomic<bool> m_stopping{false};

  alignas(cache_line) atomic<unsigned> m_idle_count{0};
  std::array<atomic<std::uint64_t>, most_workers / 64> m_idle{};

  alignas(cache_line) os_mutex m_inbox_guard;
  task_block* m_inbox_first = nullptr;
  task_block* m_inbox_last = nullptr;
  atomic<unsigned> m_inbox_size{0};
  // Who, not being a worker of ours, is sending a task just now: the runtime must not end before.
  atomic<unsigned> m_senders{0};
};

}  // namespace mortise::inline MORTISE_ABI::task_detail
