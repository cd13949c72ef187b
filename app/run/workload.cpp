#include <app/run/workload.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <app/run/interrupt.hpp>
#include <app/run/measure.hpp>
#include <app/run/processes.hpp>
#include <app/run/progress.hpp>
#include <app/run/report.hpp>
#include <app/run/tasks.hpp>
#include <mortise/lock/shared_mutex.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/task_scope.hpp>

namespace app {
namespace {

std::int64_t rss_peak_bytes() {
  rusage u{};
  ::getrusage(RUSAGE_SELF, &u);
  return static_cast<std::int64_t>(u.ru_maxrss) * 1024;
}

// A task could not be had. In words only after all others have ended: there may be no memory for words.
struct start_failed {
  std::uint64_t party;
  std::exception_ptr why;
};

[[noreturn]] void explain(const run_options& o, const start_failed& failed) {
  try {
    std::rethrow_exception(failed.why);
  } catch (const std::exception& e) {
    throw start_error(fmt::format("task {} of {} cannot be started: {}", with_thousands(failed.party + 1),
                                  with_thousands(o.parties()), e.what()));
  }
}

// Starts the parties one by one, so that an interrupt need not wait for ten million of them. False:
// interrupted. Throws start_failed.
template <class Start>
bool start_all(const run_options& o, progress& shown, Start&& start) {
  for (std::uint64_t party = 0; party < o.parties(); ++party) {
    if (party % 1024 == 0) {
      if (interrupt::signal() != 0) return false;
      if (party % (1 << 20) == 0 && party != 0) shown.starting(party, o.parties());
    }
    try {
      start(party);
    } catch (const std::exception&) {
      throw start_failed{party, std::current_exception()};
    }
  }
  return true;
}

// The time between the start of the last task and the end.
void measure(shared_state& s, progress& shown, run_result& r) {
  s.begin_timing();
  measure(s.options,
          {.read_ops = [&s] { return s.read_ops.value(); },
           .write_ops = [&s] { return s.write_ops.value(); },
           .cpu_ns = [] { return cpu_ns_of(0); },
           .turns_of = s.turns_of},
          shown, r);
}

template <class Lock>
void run_tasks(shared_state& s, progress& shown, run_result& r) {
  // Small stacks: at a hundred thousand fibers the page tables of large ones no longer fit the caches.
  mortise::runtime rt{{.workers = s.options.workers, .stack_size = 16384, .name = "mortise"}};
  r.workers = rt.workers();
  Lock lock;
  mortise::task_scope tasks{rt};
  s.stop_long_sleeps = tasks.get_stop_token();
  mortise::yield();  // what this thread needs to wait with is made now, while there is memory for it
  try {
    const bool all = start_all(s.options, shown, [&](std::uint64_t party) {
      if (s.options.tasks == task_kind::fiber) {
        tasks.go(blocking_task<Lock>(s, lock, party));
      } else if (s.options.sleep_ns > short_sleep_ns) {
        tasks.go([&s, &lock, party] { return awaiting_task<Lock, true>(s, lock, party); });
      } else {
        tasks.go([&s, &lock, party] { return awaiting_task<Lock, false>(s, lock, party); });
      }
    });
    if (all) measure(s, shown, r);
  } catch (...) {
    s.stop.store(true, mortise::memory_order_relaxed);
    throw;
  }
  s.stop.store(true, mortise::memory_order_relaxed);
  tasks.stop_and_join();
}

template <class Lock>
void run_threads(shared_state& s, progress& shown, run_result& r) {
  r.workers = 0;
  Lock lock;
  std::stop_source stop;
  std::vector<std::jthread> threads;
  auto end = [&] {
    s.stop.store(true, mortise::memory_order_relaxed);
    stop.request_stop();
    threads.clear();  // joins
  };
  try {
    const bool all = start_all(s.options, shown, [&](std::uint64_t party) {
      threads.emplace_back(
          [task = blocking_task<Lock>(s, lock, party), token = stop.get_token()] { task(token); });
    });
    if (all) measure(s, shown, r);
  } catch (...) {
    end();
    throw;
  }
  end();
}

template <class Lock>
void run_with(shared_state& s, progress& shown, run_result& r) {
  if (s.options.tasks == task_kind::thread) {
    run_threads<Lock>(s, shown, r);
  } else {
    run_tasks<Lock>(s, shown, r);
  }
}

}  // namespace

run_result run(const run_options& options) {
  if (options.scope == scope_kind::processes) return run_processes(options);
  const interrupt while_running;
  progress shown;
  run_result r;
  if (!options.report.empty()) r.detail.emplace();
  const auto s = std::make_unique<shared_state>(options);
  try {
    switch (options.lock) {
      case lock_kind::mortise: run_with<mortise::mutex>(*s, shown, r); break;
      case lock_kind::shared: run_with<mortise::shared_mutex>(*s, shown, r); break;
      case lock_kind::std: run_threads<std::mutex>(*s, shown, r); break;
      case lock_kind::none: run_with<no_lock>(*s, shown, r); break;
    }
  } catch (const start_failed& failed) {
    shown.clear();
    explain(options, failed);
  }
  shown.clear();
  r.interrupted_by = interrupt::signal();
  r.overlaps = s->map.overlaps();
  r.map_mismatches = s->map.mismatches();
  r.state = s->map.state();
  r.wait = s->wait.summarise();
  r.lateness = s->lateness.summarise();
  if (r.detail) {
    r.detail->wait = s->wait.coarse();
    r.detail->lateness = s->lateness.coarse();
  }
  r.rss_peak_bytes = rss_peak_bytes();
  shown.finished(options, r);
  return r;
}

}  // namespace app
