#pragma once

#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/task/stalled_for.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

class runtime_core;

// One thread that looks at the workers of a runtime four times within `limit`, and reports each that was in one and the same task
// all that time (stalled_for.hpp says what counts). It only reads what workers keep anyway: being watched costs them nothing.
class stall_watch {
 public:
  stall_watch(runtime_core& home, nanos limit);  // throws where there is no thread or memory for it
  ~stall_watch();
  stall_watch(const stall_watch&) = delete;
  stall_watch& operator=(const stall_watch&) = delete;

  // In a forked child: the thread is the parent's.
  void leave_thread() noexcept { m_thread.detach(); }

 private:
  void serve() noexcept;
  void look() noexcept;
  void report(unsigned worker) noexcept;

  runtime_core& m_home;
  const nanos m_limit;
  std::vector<stalled_for> m_workers;
  atomic<std::uint32_t> m_ended{0};
  os_thread m_thread;
};

}  // namespace mortise::inline MORTISE_ABI::task_detail
