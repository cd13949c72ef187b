#include <gtest/gtest.h>
#include <app/run/options.hpp>

namespace {

app::run_options parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--scope", "processes"});
  return app::parse_run(arguments);
}

std::string error_of(const std::vector<std::string>& arguments, bool processes = true) {
  try {
    processes ? parse(arguments) : app::parse_run(arguments);
  } catch (const app::usage_error& e) {
    return e.what();
  }
  return "";
}

TEST(scope, is_one_process_unless_said_otherwise) {
  EXPECT_EQ(app::parse_run({}).scope, app::scope_kind::process);
  EXPECT_EQ(app::parse_run({}).processes, 0u);
}

TEST(scope, each_task_is_a_process_unless_said_otherwise) {
  const app::run_options o = parse({});
  EXPECT_EQ(o.scope, app::scope_kind::processes);
  EXPECT_EQ(o.tasks, app::task_kind::process);
  EXPECT_EQ(o.processes, 110u);
  EXPECT_EQ(parse({"--readers", "2", "--writers", "1"}).processes, 3u);
  EXPECT_EQ(parse({"--readers", "0", "--writers", "0"}).processes, 0u);
}

TEST(scope, processes_share_tasks) {
  const app::run_options eight = parse({"--processes", "8"});
  EXPECT_EQ(eight.tasks, app::task_kind::fiber);
  EXPECT_EQ(eight.processes, 8u);
  EXPECT_EQ(parse({"--processes", "1", "--tasks", "thread"}).tasks, app::task_kind::thread);
  EXPECT_EQ(parse({"--tasks", "coroutine"}).processes, 8u);
  EXPECT_EQ(parse({"--tasks", "coroutine", "--readers", "2", "--writers", "1"}).processes, 3u);
  EXPECT_EQ(parse({"--readers", "0", "--writers", "0", "--tasks", "fiber"}).processes, 1u);
  EXPECT_EQ(parse({"--readers", "1000000", "--tasks", "fiber"}).processes, 8u);
}

TEST(scope, kills_are_read) { EXPECT_EQ(parse({"--kill-every", "50ms"}).kill_every_ns, 50'000'000); }

TEST(scope, what_does_not_go_together_is_named_with_what_is_allowed) {
  EXPECT_EQ(error_of({"--scope", "cluster"}, false), "--scope: cluster is none of process|processes");
  EXPECT_EQ(error_of({"--processes", "8"}, false),
            "--processes: 8 works with --scope processes only, not process");
  EXPECT_EQ(error_of({"--kill-every", "50ms"}, false),
            "--kill-every: 50ms works with --scope processes only, not process");
  EXPECT_EQ(
      error_of({"--tasks", "process"}, false),
      "--tasks: process works with --scope processes only; allowed within a process: fiber|coroutine|thread");
  EXPECT_EQ(error_of({"--lock", "std", "--tasks", "thread"}),
            "--lock: std works within one process only; allowed with --scope processes: mortise|none");
  EXPECT_EQ(error_of({"--lock", "shared"}),
            "--lock: shared works within one process only; allowed with --scope processes: mortise|none");
  EXPECT_EQ(error_of({"--keys", "17"}),
            "--keys: 17 is not in 1..16, what the map in shared memory holds (--scope processes)");
  EXPECT_EQ(error_of({"--processes", "8", "--tasks", "process"}),
            "--processes: 8 works with --tasks fiber|coroutine|thread only; with process each task is one");
  EXPECT_EQ(error_of({"--workers", "2"}),
            "--workers: 2 works with --tasks fiber|coroutine only, not process");
  EXPECT_EQ(error_of({"--readers", "1000"}),
            "--scope: processes cannot be 1010, one for each task; allowed: up to 1000, or --processes 8");
  EXPECT_EQ(error_of({"--processes", "8", "--readers", "2", "--writers", "1"}),
            "--processes: 8 is not in 1..3: there are no more tasks");
  EXPECT_EQ(error_of({"--processes", "1001"}), "--processes: 1001 is not in 1..1000");
  EXPECT_EQ(error_of({"--kill-every", "999us"}), "--kill-every: 999us is no duration in 1ms..24h");
}

}  // namespace
