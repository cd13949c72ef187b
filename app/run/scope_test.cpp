#include <gtest/gtest.h>
#include <app/run/options.hpp>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

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

TEST(scope, a_profile_is_of_one_process) {
  EXPECT_EQ(app::parse_run({"--profile", "p"}).profile, "p");
  EXPECT_EQ(error_of({"--profile", "p"}),
            "--profile: p works with --scope process only, not processes: it is of the tasks of one process");
  EXPECT_EQ(error_of({"--scope", "cluster", "--profile", "p"}, false),
            "--profile: p works with --scope process only, not cluster: it is of the tasks of one process");
  EXPECT_EQ(error_of({"--lock", "none", "--profile", "p"}, false),
            "--profile: p works with --lock mortise|shared only, not none");
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
  EXPECT_EQ(error_of({"--scope", "galaxy"}, false), "--scope: galaxy is none of process|processes|cluster");
  EXPECT_EQ(error_of({"--processes", "8"}, false),
            "--processes: 8 works with --scope processes|cluster only, not process");
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

app::run_options cluster(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--scope", "cluster"});
  return app::parse_run(arguments);
}

TEST(scope, a_cluster_is_three_processes_with_fibers_and_an_etcd_of_their_own) {
  const app::run_options o = cluster({});
  EXPECT_EQ(o.scope, app::scope_kind::cluster);
  EXPECT_EQ(o.processes, 3u);
  EXPECT_EQ(o.tasks, app::task_kind::fiber);
  EXPECT_TRUE(o.cluster.is_private());
  EXPECT_EQ(cluster({"--readers", "1", "--writers", "1"}).processes, 2u);
  EXPECT_EQ(cluster({"--processes", "8", "--tasks", "coroutine"}).processes, 8u);
  EXPECT_EQ(cluster({"--lock", "none"}).lock, app::lock_kind::none);
}

TEST(scope, where_etcd_is_and_how_it_is_reached) {
  ::setenv("MORTISE_ETCD_PASSWORD", "secret", 1);
  const app::run_options o =
      cluster({"--endpoints", "https://10.0.0.1:2379,https://[::1]:1", "--tls-ca", "a.pem", "--tls-cert",
               "b.pem", "--tls-key", "c.pem", "--user", "u", "--prefix", "p/", "--metrics", "m"});
  EXPECT_EQ(o.cluster.endpoints, (std::vector<std::string>{"https://10.0.0.1:2379", "https://[::1]:1"}));
  EXPECT_EQ(o.cluster.ca + o.cluster.certificate + o.cluster.key, "a.pemb.pemc.pem");
  EXPECT_EQ(o.cluster.user + o.cluster.prefix + o.metrics, "up/m");
  ::unsetenv("MORTISE_ETCD_PASSWORD");
}

TEST(scope, what_does_not_go_with_a_cluster_is_named) {
  const std::string http = "http://127.0.0.1:2379";
  for (
      const auto& [words, error] : std::vector<std::pair<std::vector<std::string>, std::string>>{
          {{"--tasks", "process"},
           "--tasks: process works with --scope processes only; allowed with --scope cluster: fiber|coroutine|thread"},
          {{"--lock", "std"},
           "--lock: std works within one process only; allowed with --scope cluster: mortise|none"},
          {{"--kill-every", "1s"}, "--kill-every: 1s works with --scope processes only, not cluster"},
          {{"--keys", "10001"},
           "--keys: 10001 is not in 1..10000, what one value in a store holds (--scope cluster)"},
          {{"--processes", "200"}, "--processes: 200 is not in 1..110: there are no more tasks"},
          {{"--endpoints", "etcd:2379"},
           "--endpoints: etcd:2379 is none; allowed: http://HOST:PORT or https://HOST:PORT, several with a comma between"},
          {{"--endpoints", http + ","},
           "--endpoints: '' is none; allowed: http://HOST:PORT or https://HOST:PORT, several with a comma between"},
          {{"--endpoints", http + "/v3"},
           "--endpoints: http://127.0.0.1:2379/v3 is none; allowed: http://HOST:PORT or https://HOST:PORT, several with a comma "
           "between"},
          {{"--endpoints", http + ",https://a:1"},
           "--endpoints: http://127.0.0.1:2379 and https://a:1: all are http or all https"},
          {{"--endpoints", http, "--tls-ca", "a"}, "--tls-ca: a works with --endpoints https://... only"},
          {{"--tls-ca", "a"}, "--tls-ca: a works with --endpoints https://... only"},
          {{"--endpoints", "https://a:1", "--tls-key", "k"}, "--tls-key: k needs --tls-cert"},
          {{"--endpoints", "https://a:1", "--tls-cert", "c"}, "--tls-cert: c needs --tls-key"},
          {{"--user", "u"}, "--user: u works with --endpoints only"},
          {{"--endpoints", http, "--user", "u"}, "--user: u needs a password in MORTISE_ETCD_PASSWORD"}}) {
    std::vector<std::string> all{"--scope", "cluster"};
    all.insert(all.end(), words.begin(), words.end());
    EXPECT_EQ(error_of(all, false), error);
  }
  EXPECT_EQ(error_of({"--endpoints", http}, false),
            "--endpoints: http://127.0.0.1:2379 works with --scope cluster only, not process");
  EXPECT_EQ(error_of({"--metrics", "m"}), "--metrics: m works with --scope cluster only, not processes");
}

}  // namespace
