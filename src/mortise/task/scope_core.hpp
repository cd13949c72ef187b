#pragma once

#include <exception>
#include <stop_token>

#include <mortise/base/atomic.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

class runtime_core;

// What a task_scope and its tasks share: how many live, who joins, the first exception. Recycled but never
// freed: the last task still reads `joiner` after it has counted itself out, when the scope may be gone
// already.
//
// Orderings  S1 a task counts itself out with an acq_rel RMW <-> the joiner's load: all that the task did
//               is seen by the join.
//            S2 Dekker: the joiner stores `joiner`, then loads `live`; the last task changes `live`, then
//               loads `joiner`. All four are seq_cst, so at least one sees the other: no join sleeps
//               through the end. aarch64: the loads must be seq_cst, as in runtime_core.hpp.
struct scope_core {
  runtime_core* home = nullptr;
  atomic<std::uint64_t> live{0};
  atomic<wait::parker*> joiner{nullptr};
  std::stop_source stop{std::nostopstate};
  bool detached = false;  // the scope of tasks that nobody joins: an exception ends the program at once

  // Keeps the first exception. Called by a task before it counts itself out.
  void failed(std::exception_ptr e) noexcept;
  // The first exception, once. Only when no task lives.
  std::exception_ptr take_error() noexcept;

  // A task has ended; nothing of it may be touched by the scope's owner afterwards.
  void count_out() noexcept {
    if (live.fetch_sub(1, memory_order_seq_cst) != 1) return;                            // S1, S2
    if (wait::parker* j = joiner.load(memory_order_seq_cst); j != nullptr) j->unpark();  // S2
  }
  bool empty() const noexcept { return live.load(memory_order_seq_cst) == 0; }  // S1, S2

  scope_core* next_free = nullptr;

 private:
  atomic<int> m_has_error{0};
  std::exception_ptr m_error;
};

// From a pool of the process. Throws std::bad_alloc.
scope_core& take_scope(runtime_core& home, bool detached);
void recycle(scope_core& s) noexcept;

// Ends the program with what the exception says.
[[noreturn]] void unjoined_exception(const std::exception_ptr& e) noexcept;

}  // namespace mortise::inline MORTISE_ABI::task_detail
