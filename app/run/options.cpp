#include <app/run/cluster_flags.hpp>
#include <app/run/duration.hpp>
#include <app/run/flags.hpp>
#include <app/run/options.hpp>
#include <app/run/scope.hpp>

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>

namespace app {
namespace {

constexpr const char* description =
    R"(The seed's program: readers and writers share a map behind one mutex, each sleeping between its turns.
Prints readOps, writeOps and the map after the time is over. The clock starts when all tasks have been started.
Every turn checks that it is alone in its section (with --lock shared: that no writer is), and the map is checked against what was written: exit 1 if not.

With --lock none nothing guards the map (its cells are atomics, so that this is no data race) and every 16th turn of a
task gives up the processor in the middle of its section: the control, which must show overlaps and exit 1.

With --scope processes the map lies in memory that processes share, behind one mutex, and carries a checksum that every
reader checks. Each reader and each writer is a process, or --processes of them share the tasks. --kill-every kills one
after the other with SIGKILL, in the middle of whatever it does, and starts another one in its place: exit 1 if a value is
torn. A process that is killed takes no other with it, and none is left when the command is.

With --scope cluster it lies in etcd, behind a lock that only lets its holder write: --processes of them, each with its own lease, share the tasks.
Updates that were lost (not applied) or whose end is unknown are told apart. Without --endpoints a private etcd runs as long as the command. With
--lock none each update is a read and a put, as one would without a lock: the control, which must lose updates and exit 1.)";

constexpr const char* footer =
    R"(Durations are a number and h, m, s, ms, us or ns (1ms, 250us, 1.5s), or 0.
Exit: 0 all was well, 1 overlaps, mismatches, torn values or no resources, 2 bad usage, 130 interrupted (the result is printed).)";

CLI::Validator duration(std::int64_t least, std::int64_t most) {
  const std::string range = fmt::format("{}..{}", format_duration(least), format_duration(most));
  return CLI::Validator(
      [=](std::string& text) -> std::string {
        const auto ns = parse_duration(text);
        if (!ns || *ns < least || *ns > most) return fmt::format("{} is no duration in {}", text, range);
        text = std::to_string(*ns);
        return {};
      },
      range);
}

template <class Enum>
CLI::Validator one_of(std::initializer_list<Enum> choices) {
  std::string allowed;
  for (const Enum c : choices) allowed.append(allowed.empty() ? "" : "|").append(to_string(c));
  const std::vector<Enum> all(choices);
  return CLI::Validator(
      [allowed, all](std::string& text) -> std::string {
        for (const Enum c : all) {
          if (text != to_string(c)) continue;
          text = std::to_string(static_cast<int>(c));
          return {};
        }
        return fmt::format("{} is none of {}", text, allowed);
      },
      allowed);
}

// What was typed is shown as one line, and moves no cursor.
std::string printable(const std::string& text) {
  std::string shown;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7F) {
      shown += fmt::format("\\x{:02x}", code);
    } else {
      shown += c;
    }
  }
  return shown;
}

}  // namespace

usage_error::usage_error(const std::string& text) : std::runtime_error{printable(text)} {}

const char* to_string(scope_kind k) {
  switch (k) {
    case scope_kind::process: return "process";
    case scope_kind::processes: return "processes";
    case scope_kind::cluster: return "cluster";
  }
  return "scope";
}
const char* to_string(task_kind k) {
  switch (k) {
    case task_kind::fiber: return "fiber";
    case task_kind::coroutine: return "coroutine";
    case task_kind::thread: return "thread";
    case task_kind::process: return "process";
  }
  return "task";
}
const char* to_string(lock_kind k) {
  switch (k) {
    case lock_kind::mortise: return "mortise";
    case lock_kind::shared: return "shared";
    case lock_kind::std: return "std";
    case lock_kind::none: return "none";
  }
  return "lock";
}

std::string nearest(const std::string& text, const std::vector<std::string>& known) {
  std::string best;
  const std::string start = text.substr(0, 2) == "--" || text[0] != '-' ? text : "-" + text;  // -r: --r
  for (const std::string& k : known) {
    if (start.size() > 2 && k.starts_with(start)) return k;
  }
  std::size_t least = std::max<std::size_t>(2, text.size() / 3) + 1;
  for (const std::string& k : known) {
    std::vector<std::size_t> row(k.size() + 1);
    for (std::size_t j = 0; j <= k.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= text.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= k.size(); ++j) {
        const std::size_t changed = diagonal + (text[i - 1] == k[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
      }
    }
    if (row.back() < least) {
      least = row.back();
      best = k;
    }
  }
  return best;
}

run_options parse_run(const std::vector<std::string>& arguments) {
  constexpr std::uint64_t most_tasks = 100'000'000;
  constexpr std::int64_t hour = 3'600'000'000'000;
  run_options o;
  CLI::App app{description, "mortise run"};
  app.footer(footer);
  app.add_option("--scope", o.scope,
                 "who shares the map: the tasks of one process, processes, or machines (process)")
      ->transform(one_of({scope_kind::process, scope_kind::processes, scope_kind::cluster}));
  app.add_option("--readers", o.readers, "tasks that read (100)")
      ->transform(whole_number<std::uint64_t>(0, most_tasks));
  app.add_option("--writers", o.writers, "tasks that write (10)")
      ->transform(whole_number<std::uint64_t>(0, most_tasks));
  app.add_option("--keys", o.keys, "keys of the map, from 0 (5)")
      ->transform(whole_number<std::uint64_t>(1, 1'000'000));
  app.add_option("--values", o.values, "values written, from 0 (100)")
      ->transform(whole_number<std::uint64_t>(1, 1'000'000'000));
  app.add_option("--sleep", o.sleep_ns, "how long a task sleeps between turns (1ms); 0: only gives way")
      ->transform(duration(0, 24 * hour));
  app.add_option("--for", o.for_ns, "how long the program runs (1s)")->transform(duration(0, 24 * hour));
  const CLI::Option* const tasks =
      app.add_option("--tasks", o.tasks, "what the tasks are (fiber; with --scope processes: process)")
          ->transform(
              one_of({task_kind::fiber, task_kind::coroutine, task_kind::thread, task_kind::process}));
  app.add_option(
         "--lock", o.lock,
         "what guards the map (mortise); shared: readers together; std: with threads only; none: the control")
      ->transform(one_of({lock_kind::mortise, lock_kind::shared, lock_kind::std, lock_kind::none}));
  const CLI::Option* const processes =
      app.add_option("--processes", o.processes,
                     "that share the tasks, of --scope processes (one for each task) or cluster (3)")
          ->transform(whole_number<unsigned>(1, most_processes));
  app.add_option("--kill-every", o.kill_every_ns,
                 "how often a process of --scope processes is killed, and another started in its place")
      ->transform(duration(1'000'000, 24 * hour));
  app.add_option(
         "--workers", o.workers,
         "OS threads for fibers and coroutines (0: as many as are usable; of a process among several, 1)")
      ->transform(whole_number<unsigned>(0, 1024));
  app.add_option("--seed", o.seed, "same seed, same keys and values for each task (1)")
      ->transform(whole_number<std::uint64_t>(0, std::numeric_limits<std::int64_t>::max()));
  app.add_flag("--json", o.json, "print one JSON object instead")->disable_flag_override();
  const cluster_flags cluster{app, o};
  app.add_option(
      "--profile", o.profile,
      "write who made others wait for the lock to this file too, for go tool pprof (--scope process)");
  app.add_option("--report", o.report, "write a page with charts of the run to this file too");
  app.add_option(
      "--trace", o.trace,
      "write which task ran when, who waited and who woke whom to this file too, for ui.perfetto.dev");
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    throw answer(app.help());
  } catch (const CLI::ParseError& e) {
    throw usage_error(one_line(app, e, arguments));
  }
  settle_scope(
      o,
      {.tasks = tasks->count() != 0, .processes = processes->count() != 0, .cluster = cluster.first_given()});
  if (!o.trace.empty() && o.scope != scope_kind::process) {
    throw usage_error(
        fmt::format("--trace: {} works with --scope process only, not {}", o.trace, to_string(o.scope)));
  }
  if (o.lock == lock_kind::std && o.tasks != task_kind::thread) {
    throw usage_error(fmt::format(
        "--lock: std works with --tasks thread only, not {}: it blocks the OS thread", to_string(o.tasks)));
  }
  constexpr std::uint64_t most_threads = 32'000;
  if (o.tasks == task_kind::thread && o.parties() > most_threads) {
    throw usage_error(fmt::format("--tasks: {} threads are more than {}; use fiber or coroutine", o.parties(),
                                  most_threads));
  }
  return o;
}

}  // namespace app
