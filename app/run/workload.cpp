#include <app/run/workload.hpp>

#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <app/run/interrupt.hpp>
#include <app/run/progress.hpp>
#include <app/run/report.hpp>
#include <app/run/tasks.hpp>
#include <mortise/lock/shared_mutex.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/task_scope.hpp>

namespace app {
namespace {

using clock = std::chrono::steady_clock;

std::int64_t cpu_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

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
  if (r.detail) s.turns_of.begin();
  // The clock is read before the first count and after the last one: nothing is counted that it does not
  // cover, however late this thread gets its turn.
  const auto begin = clock::now();
  const std::uint64_t reads = s.read_ops.value(), writes = s.write_ops.value();
  const std::int64_t cpu = cpu_ns();
  const auto end = begin + std::chrono::nanoseconds(s.options.for_ns);
  // A hundred moments, but no more than one in 10 ms: this thread takes a core for each.
  const auto apart =
      std::max(std::chrono::nanoseconds(10'000'000), std::chrono::nanoseconds(s.options.for_ns / 100));
  if (r.detail) r.detail->throughput.push_back({0, 0});
  auto elapsed = [&] { return std::chrono::duration<double>(clock::now() - begin).count(); };
  const bool live = shown.watched() && s.options.for_ns > 1'000'000'000;
  while (clock::now() < end && interrupt::signal() == 0) {
    auto until = live ? std::min(end, clock::now() + std::chrono::milliseconds(200)) : end;
    if (r.detail) until = std::min(until, begin + apart * ((clock::now() - begin) / apart + 1));
    interrupt::sleep_until(until);
    const std::uint64_t ops = s.read_ops.value() + s.write_ops.value() - reads - writes;
    if (r.detail) r.detail->throughput.push_back({(clock::now() - begin).count(), ops});
    if (live)
      shown.running(elapsed(), static_cast<double>(s.options.for_ns) / 1e9, ops,
                    static_cast<double>(ops) / elapsed());
  }
  r.cpu_ns = cpu_ns() - cpu;
  r.read_ops = s.read_ops.value() - reads;
  r.write_ops = s.write_ops.value() - writes;
  r.duration_ns = (clock::now() - begin).count();
  if (!r.detail) return;
  r.detail->turns = distribute(s.turns_of.since_begin());
  if (r.detail->throughput.size() > 1) r.detail->throughput.pop_back();  // the end is told exactly
  r.detail->throughput.push_back({r.duration_ns, r.read_ops + r.write_ops});
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
