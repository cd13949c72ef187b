// `mortise run --scope cluster` as a person runs it. Each case opens with the bug that it would show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <app/cluster/etcd_place.hpp>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <mortise/cluster/etcd/store.hpp>
#include <nlohmann/json.hpp>
#include <support/command.hpp>
#include <support/process_state.hpp>
#include <support/runtime_place.hpp>

namespace {

using mortise::test::command;
using mortise::test::outcome;
using mortise::test::running_command;
using nlohmann::json;
using testing::HasSubstr;
using testing::MatchesRegex;

class cluster_run : public app::cluster::test::with_etcd {
 protected:
  static std::vector<std::string> run(const std::vector<std::string>& more) {
    std::vector<std::string> all{"run",   "--scope", "cluster", "--endpoints", etcd().endpoint(),
                                 "--for", "1500ms"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  // How many keys there are below mortise's prefix.
  static std::size_t keys() {
    mortise::cluster::etcd_store store{{.endpoints = {etcd().endpoint()}, .prefix = "mortise/"}};
    mortise::cluster::transaction find;
    find.then = {mortise::cluster::range{"", true, 100}};
    std::atomic<long> found{-1};
    store.commit(find, [&](const mortise::cluster::transaction_reply& r) {
      found = r.how == mortise::cluster::verdict::ok ? static_cast<long>(r.found.at(0).size()) : 1000;
    });
    while (found < 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    return static_cast<std::size_t>(found.load());
  }
};

TEST_F(cluster_run, prints_the_seeds_three_lines_for_each_kind_of_task_and_leaves_nothing) {
  for (const char* kind : {"fiber", "coroutine", "thread"}) {
    const outcome o = command(run({"--tasks", kind}));
    EXPECT_EQ(o.code, 0) << kind << o.err;
    EXPECT_THAT(o.out,
                MatchesRegex("readOps: [1-9][0-9]*\nwriteOps: [1-9][0-9]*\nstate: map\\[[0-9: ]+\\]\n"));
    EXPECT_EQ(o.err, "");
  }
  EXPECT_EQ(keys(), 0u);
}

// The bug: what the processes count stays with them, or does not add up.
TEST_F(cluster_run, json_has_what_the_other_scopes_have_and_what_the_locks_have_been_through) {
  const outcome o = command(run({"--json", "--keys", "3"}));
  ASSERT_EQ(o.code, 0) << o.err;
  const auto j = nlohmann::ordered_json::parse(o.out);
  std::vector<std::string> keys;
  for (const auto& item : j.items()) keys.push_back(item.key());
  EXPECT_EQ(keys, (std::vector<std::string>{
                      "schema",   "version",        "scope",     "tasks",       "lock",
                      "readers",  "writers",        "keys",      "values",      "sleep_ns",
                      "seed",     "workers",        "processes", "duration_ns", "interrupted",
                      "read_ops", "write_ops",      "ops",       "ops_per_s",   "limit_ops_per_s",
                      "overlaps", "map_mismatches", "torn",      "lost",        "unknown",
                      "cpu_ns",   "rss_peak_bytes", "state",     "wait_ns",     "lateness_ns",
                      "cluster",  "leases"}));
  EXPECT_EQ(j["scope"], "cluster");
  EXPECT_EQ(j["processes"], 3);
  for (const char* key : {"overlaps", "map_mismatches", "torn", "lost", "unknown"})
    EXPECT_EQ(j[key], 0) << key;
  EXPECT_EQ(j["state"].size(), 3u);
  // All writes, those outside the measured time too, and one with which each process begins.
  EXPECT_GE(j["cluster"]["updates"], j["write_ops"].get<std::uint64_t>() + 3);
  EXPECT_EQ(j["cluster"]["acquisitions"], j["cluster"]["wait_ns"]["count"]);
  EXPECT_GT(j["cluster"]["remote_handovers"], 0);
  EXPECT_GE(j["leases"]["leases"], 3);
}

// The bug: a page that Prometheus does not read, or that says something else than the result.
TEST_F(cluster_run, metrics_are_written) {
  const mortise::test::runtime_place here;
  const std::string file = here.path("run.prom");
  const outcome o = command(run({"--json", "--metrics", file}));
  ASSERT_EQ(o.code, 0) << o.err;
  std::ifstream in{file};
  std::uint64_t applied = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("mortise_cluster_updates_total{") &&
        line.find("outcome=\"applied\"") != std::string::npos)
      applied += std::stoull(line.substr(line.rfind(' ')));
  }
  EXPECT_EQ(applied, json::parse(o.out)["cluster"]["updates"].get<std::uint64_t>());
  const outcome none = command(run({"--metrics", here.path("none/run.prom")}));
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err,
              MatchesRegex(
                  "mortise: --metrics: [^\n]+/none/run.prom cannot be written: No such file or directory\n"));
}

// The control: without the lock the same check must fail.
TEST_F(cluster_run, no_lock_loses_updates_and_exits_1_with_a_line) {
  for (const char* kind : {"fiber", "coroutine"}) {
    const outcome o =
        command(run({"--lock", "none", "--json", "--tasks", kind, "--readers", "0", "--writers", "30"}));
    EXPECT_EQ(o.code, 1) << kind;
    EXPECT_GT(json::parse(o.out)["map_mismatches"], 0);
    EXPECT_THAT(o.err, MatchesRegex("mortise: lost updates: [0-9]+ writes[^\n]+\n"));
  }
}

TEST_F(cluster_run, interrupt_ends_all_and_prints_and_exits_130) {
  std::vector<std::string> words = run({"--sleep", "1h"});
  words.insert(words.end(), {"--json"});
  words[6] = "1h";
  const outcome o = command(words, SIGINT);
  EXPECT_EQ(o.code, 130);
  EXPECT_EQ(json::parse(o.out)["interrupted"], true);
  EXPECT_EQ(keys(), 0u);
}

TEST_F(cluster_run, an_etcd_that_is_not_there_is_one_line) {
  const outcome o =
      command({"run", "--scope", "cluster", "--endpoints", "http://127.0.0.1:1", "--for", "1s"});
  EXPECT_EQ(o.code, 1);
  EXPECT_EQ(o.out, "");
  EXPECT_THAT(o.err, MatchesRegex("mortise: process [123] of 3: no lease: [^\n]+\n"));
}

// The private one: its process and its directory.
struct its_own {
  pid_t etcd = 0;
  std::string directory;
  bool is_there() const { return ::kill(etcd, 0) == 0 || std::filesystem::exists(directory); }
};
its_own find_own(pid_t parent) {
  for (int tries = 0; tries < 2000; ++tries) {
    for (const auto& e : std::filesystem::directory_iterator{"/proc"}) {
      const pid_t process = std::atoi(e.path().filename().c_str());
      if (process == 0 || mortise::test::state_of(process).second != parent) continue;
      std::ifstream cmdline{e.path() / "cmdline"};
      std::string words;
      std::getline(cmdline, words);
      const auto at = words.find("--data-dir=");
      if (at == std::string::npos) continue;
      const std::string data = words.c_str() + at + 11;
      return {process, data.substr(0, data.rfind('/'))};
    }
    ::usleep(10'000);
  }
  return {};
}

// The bug: an etcd, or its files, are left when the command is gone.
TEST_F(cluster_run, a_private_etcd_is_told_of_and_goes_with_the_command) {
  const outcome o = command({"run", "--scope", "cluster", "--for", "200ms"});
  EXPECT_EQ(o.code, 0) << o.err;
  EXPECT_THAT(o.err,
              MatchesRegex("mortise: no --endpoints: a private etcd at http://127.0.0.1:[0-9]+ in [^\n]+\n"));
  const std::string in = o.err.substr(o.err.find(" in ") + 4);
  EXPECT_FALSE(std::filesystem::exists(in.substr(0, in.find(','))));
  for (const int signal : {SIGINT, SIGKILL}) {
    running_command c{{"run", "--scope", "cluster", "--for", "1h"}};
    const its_own own = find_own(c.process());
    ASSERT_NE(own.etcd, 0);
    signal == SIGKILL ? static_cast<void>(::kill(c.process(), SIGKILL)) : c.send(signal, true);
    c.end();
    if (signal == SIGKILL) {  // its files stay, in the folder for temporary ones
      for (int tries = 0; tries < 1000 && ::kill(own.etcd, 0) == 0; ++tries) ::usleep(10'000);
      EXPECT_NE(::kill(own.etcd, 0), 0);
      std::filesystem::remove_all(own.directory);
    }
    EXPECT_FALSE(own.is_there()) << signal;
  }
}

TEST_F(cluster_run, without_an_etcd_it_says_what_to_install) {
  const outcome o =
      command({"run", "--scope", "cluster", "--for", "200ms"}, 0, "PATH=/nowhere; exec \"$0\" \"$@\"");
  EXPECT_EQ(o.code, 1);
  EXPECT_THAT(o.err, MatchesRegex("mortise: there is no etcd [^\n]+etcd-server[^\n]+--endpoints\n"));
}

}  // namespace
