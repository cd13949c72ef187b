#include <mortise/task/stall_watch.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include <mortise/base/futex.hpp>
#include <mortise/task/runtime_core.hpp>
#include <mortise/task/task_names.hpp>
#include <mortise/task/worker.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {

constexpr nanos looks_in_a_limit = 4;

void write_line(const char* line) noexcept {
  char text[400];
  const int n = std::snprintf(text, sizeof text, "%s\n", line);
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, text, std::min<std::size_t>(n, sizeof text - 1));
}

// Written as the task was made, which nothing orders for a thread that only looks; the block itself is never freed.
__attribute__((no_sanitize("thread"))) wait::party kind_of(const task_block& t) noexcept { return t.kind; }

}  // namespace

stall_watch::stall_watch(runtime_core& home, nanos limit)
    : m_home{home}, m_limit{limit}, m_workers(home.workers()), m_thread{[this] { serve(); }} {
  name_thread(m_thread, "mortise-watch");
}

stall_watch::~stall_watch() {
  m_ended.store(1, memory_order_relaxed);  // the thread is joined, and ordered by that
  futex_wake(m_ended, 1);
  m_thread.join();
}

void stall_watch::serve() noexcept {
  for (nanos next = now_ns();;) {
    next = std::max(next, now_ns()) + m_limit / looks_in_a_limit;
    while (now_ns() < next) {
      futex_wait(m_ended, 0, next);
      if (m_ended.load(memory_order_relaxed) != 0) return;
    }
    look();
  }
}

void stall_watch::look() noexcept {
  for (unsigned i = 0; i < m_workers.size(); ++i) {
    const worker& w = m_home.worker_at(i);
    const nanos stalled =
        m_workers[i].look(w.look(), m_limit / looks_in_a_limit, [&w] { return schedule_of(w.thread()); });
    if (stalled >= m_limit && m_workers[i].is_news()) report(i);
  }
}

void stall_watch::report(unsigned worker) noexcept {
  const stalled_for& s = m_workers[worker];
  const task_text who = describe(*s.seen().task, kind_of(*s.seen().task));
  // Only if it is in that task still was this the task's name.
  if (m_home.worker_at(worker).look().turns != s.seen().turns) return;
  char line[400];
  std::snprintf(
      line, sizeof line,
      "mortise: worker %u of runtime '%.60s' has not come back to its scheduler for %lld ms: %s keeps it; call what blocks with "
      "mortise::blocking(f), and mortise::yield() now and then in what computes for long",
      worker, m_home.options().name.c_str(), static_cast<long long>(s.total() / 1'000'000), who.chars);
  const auto report_to = m_home.options().report_stall;
  (report_to != nullptr ? report_to : &write_line)(line);
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
