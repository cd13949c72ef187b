#include <app/run/duration.hpp>
#include <app/run/scope.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace app {
namespace {

void refuse_without_processes(const run_options& o, const given_flags& given) {
  if (o.tasks == task_kind::process) {
    throw usage_error(
        "--tasks: process works with --scope processes only; allowed within a process: fiber|coroutine|thread");
  }
  if (given.processes) {
    throw usage_error(
        fmt::format("--processes: {} works with --scope processes|cluster only, not process", o.processes));
  }
  if (o.kill_every_ns != 0) {
    throw usage_error(fmt::format("--kill-every: {} works with --scope processes only, not process",
                                  format_duration(o.kill_every_ns)));
  }
}

// That share the tasks.
void settle_processes(run_options& o, const given_flags& given, unsigned usual) {
  const auto most = static_cast<unsigned>(std::clamp<std::uint64_t>(o.parties(), 1, most_processes));
  if (!given.processes) o.processes = std::min(usual, most);
  if (o.processes > most) {
    throw usage_error(
        fmt::format("--processes: {} is not in 1..{}: there are no more tasks", o.processes, most));
  }
}

void settle_cluster(run_options& o, const given_flags& given) {
  if (o.tasks == task_kind::process)
    throw usage_error(
        "--tasks: process works with --scope processes only; allowed with --scope cluster: fiber|coroutine|thread");
  if (o.kill_every_ns != 0) {
    throw usage_error(fmt::format("--kill-every: {} works with --scope processes only, not cluster",
                                  format_duration(o.kill_every_ns)));
  }
  if (o.keys > most_cluster_keys) {
    throw usage_error(
        fmt::format("--keys: {} is not in 1..{}, what one value in a store holds (--scope cluster)", o.keys,
                    most_cluster_keys));
  }
  settle_processes(o, given, usual_cluster_processes);
  check(o.cluster);
}

void settle_profile(const run_options& o) {
  if (o.profile.empty()) return;
  if (o.scope != scope_kind::process) {
    throw usage_error(fmt::format(
        "--profile: {} works with --scope process only, not {}: it is of the tasks of one process", o.profile,
        to_string(o.scope)));
  }
  if (o.lock != lock_kind::mortise && o.lock != lock_kind::shared) {
    throw usage_error(fmt::format("--profile: {} works with --lock mortise|shared only, not {}", o.profile,
                                  to_string(o.lock)));
  }
}

}  // namespace

void settle_scope(run_options& o, const given_flags& given) {
  settle_profile(o);
  if (o.scope != scope_kind::cluster && !given.cluster.empty())
    throw usage_error(
        fmt::format("{} works with --scope cluster only, not {}", given.cluster, to_string(o.scope)));
  if (o.scope == scope_kind::process) return refuse_without_processes(o, given);
  if (o.lock != lock_kind::mortise && o.lock != lock_kind::none) {
    throw usage_error(
        fmt::format("--lock: {} works within one process only; allowed with --scope {}: mortise|none",
                    to_string(o.lock), to_string(o.scope)));
  }
  if (o.scope == scope_kind::cluster) return settle_cluster(o, given);
  if (o.keys > most_shared_keys) {
    throw usage_error(
        fmt::format("--keys: {} is not in 1..{}, what the map in shared memory holds (--scope processes)",
                    o.keys, most_shared_keys));
  }
  if (!given.tasks) o.tasks = given.processes ? task_kind::fiber : task_kind::process;
  if (o.tasks == task_kind::process) {
    if (given.processes) {
      throw usage_error(fmt::format(
          "--processes: {} works with --tasks fiber|coroutine|thread only; with process each task is one",
          o.processes));
    }
    if (o.workers != 0) {
      throw usage_error(
          fmt::format("--workers: {} works with --tasks fiber|coroutine only, not process", o.workers));
    }
    if (o.parties() > most_processes) {
      throw usage_error(fmt::format(
          "--scope: processes cannot be {}, one for each task; allowed: up to {}, or --processes {}",
          o.parties(), most_processes, usual_processes));
    }
    o.processes = static_cast<unsigned>(o.parties());
    return;
  }
  settle_processes(o, given, usual_processes);
}

}  // namespace app
