#include <app/run/processes.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <app/run/interrupt.hpp>
#include <app/run/measure.hpp>
#include <app/run/progress.hpp>
#include <app/run/supervisor.hpp>
#include <app/run/worker_process.hpp>
#include <mortise/shm/place.hpp>

namespace app {
namespace {

using clock = std::chrono::steady_clock;
constexpr int seconds_to_end = 30;  // where ten times as many others want to run, a hundred take seconds

// What a process could not do is left where the parent finds it: there may be no memory for words.
void run_or_say_why(const shared_run& what, board& b, turns& turns_of, unsigned process) {
  try {
    what.work(b, turns_of, process);
  } catch (const std::exception& e) {
    auto& line = b.why[process];
    std::snprintf(line.data(), line.size(), "%s", e.what());
    throw;
  }
}

// False: interrupted. Throws start_error.
bool all_have_arrived(supervisor& all, const board& b, std::uint32_t as) {
  for (unsigned place = 0; place < all.places(); ++place) {
    while (b.of[place].arrived.load(mortise::memory_order_acquire) < as) {
      if (interrupt::signal() != 0) return false;
      all.look();
      interrupt::sleep_until(clock::now() + std::chrono::milliseconds(1));
    }
  }
  return true;
}

bool start_all(supervisor& all, board& b) {
  for (unsigned place = 0; place < all.places(); ++place) {
    if (interrupt::signal() != 0) return false;
    all.start(place);
  }
  if (!all_have_arrived(all, b, 1)) return false;
  b.go.raise();
  return all_have_arrived(all, b, 2);
}

// How many of the tasks of a process write.
std::uint64_t writers_of(const run_options& o, unsigned process) {
  std::uint64_t n = 0;
  for_each_task_of(process, o, [&](std::uint64_t party) { n += party >= o.readers; });
  return n;
}

// Whom to kill, and when.
class killer {
 public:
  killer(const run_options& o, supervisor& all) : m_options{o}, m_all{all} {}

  clock::time_point operator()(clock::time_point now) {
    m_all.look();
    const auto look_again = now + std::chrono::milliseconds(200);
    if (m_options.kill_every_ns == 0 || m_all.places() == 0) return look_again;
    const std::chrono::nanoseconds apart{m_options.kill_every_ns};
    if (m_next == clock::time_point{}) m_next = now + apart;
    if (now >= m_next) {
      const auto place = static_cast<unsigned>(m_random.below(m_all.places()));
      m_all.replace(place);
      ++m_kills;
      m_uncounted += writers_of(m_options, place);
      m_next = std::max(m_next + apart, now);  // whoever is late kills no two at once
    }
    return std::min(m_next, look_again);
  }

  std::uint64_t kills() const noexcept { return m_kills; }
  std::uint64_t uncounted() const noexcept { return m_uncounted; }

 private:
  const run_options& m_options;
  supervisor& m_all;
  draw m_random{m_options.seed, m_options.parties()};
  clock::time_point m_next{};
  std::uint64_t m_kills = 0;
  std::uint64_t m_uncounted =
      0;  // writes that may have been made by one who was killed before it could count them
};

}  // namespace

run_result run_among_processes(const run_options& o, const shared_run& what) {
  run_result r;
  if (!o.report.empty()) r.detail.emplace();
  const auto b = make_shared_pages<board>(1);
  turns turns_of;
  if (r.detail) turns_of.keep(o.parties());
  progress shown;
  supervisor all{o.processes, [&](unsigned process) { run_or_say_why(what, b[0], turns_of, process); },
                 [&](unsigned process) { return std::string(b[0].why[process].data()); }};
  killer kill{o, all};
  if (start_all(all, b[0])) {
    b[0].untimed.store(untimed_turns(o), mortise::memory_order_relaxed);
    measure(o,
            {.read_ops = [&] { return b[0].sum(&board::place::read_ops); },
             .write_ops = [&] { return b[0].sum(&board::place::write_ops); },
             .cpu_ns = [&] { return all.cpu_ns(); },
             .turns_of = turns_of,
             .tend =
                 [&](clock::time_point now) {
                   what.look();
                   return kill(now);
                 }},
            shown, r);
  }
  b[0].go.raise();  // of those that wait for it still when a signal comes
  b[0].stop.raise();
  if (!all.join(seconds_to_end)) {
    throw start_error(
        fmt::format("some of {} processes did not end within {} s of being told to, and were killed",
                    all.places(), seconds_to_end));
  }
  shown.clear();
  r.workers = o.tasks == task_kind::fiber || o.tasks == task_kind::coroutine ? std::max(o.workers, 1u) : 0;
  r.interrupted_by = interrupt::signal();
  r.kills = kill.kills();
  what.look();
  what.judge(b[0], kill.uncounted(), r);
  r.wait = b[0].wait.summarise();
  r.lateness = b[0].lateness.summarise();
  if (r.detail) {
    r.detail->wait = b[0].wait.coarse();
    r.detail->lateness = b[0].lateness.coarse();
  }
  rusage own{};
  ::getrusage(RUSAGE_SELF, &own);
  r.rss_peak_bytes = all.rss_peak_bytes() + own.ru_maxrss * std::int64_t{1024};
  shown.finished(o, r);
  return r;
}

namespace {
template <class Value>
run_result run_with(Value& value, const run_options& o) {
  return run_among_processes(
      o, {.work = [&](board& b, turns& turns_of,
                      unsigned process) { run_share(process_share<Value>{o, b, turns_of, value, process}); },
          .judge =
              [&](const board& b, std::uint64_t uncounted, run_result& r) {
                value.read([&](const run_state& s) {
                  judge_state(s, b, uncounted, r);
                  return 0;
                });
              }});
}
}  // namespace

run_result run_processes(const run_options& o) {
  const interrupt while_running;
  if (o.lock == lock_kind::none) {
    unguarded<run_state> value{run_state::empty()};
    return run_with(value, o);
  }
  mortise::shm::guarded<run_state> value{mortise::shm::place::anonymous(), run_state::empty()};
  return run_with(value, o);
}

}  // namespace app
