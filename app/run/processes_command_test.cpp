// `mortise run --scope processes` as a person runs it.
#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <set>
#include <string>
#include <vector>

#include <mortise/base/sanitizers.hpp>
#include <nlohmann/json.hpp>
#include <support/command.hpp>
#include <support/emulated.hpp>
#include <support/process_state.hpp>

namespace {

using mortise::test::command;
using mortise::test::outcome;
using mortise::test::running_command;
using nlohmann::json;
using testing::HasSubstr;
using testing::MatchesRegex;

// How each kind of task is asked for, a process each being the default.
const std::vector<std::vector<std::string>> kinds{{},
                                                  {"--processes", "4"},
                                                  {"--processes", "4", "--tasks", "coroutine"},
                                                  {"--processes", "4", "--tasks", "thread"}};

std::vector<std::string> run(std::vector<std::string> words, const std::vector<std::string>& more = {}) {
  std::vector<std::string> all{"run", "--scope", "processes"};
  all.insert(all.end(), words.begin(), words.end());
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string shown(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& w : words) text += w + ' ';
  return text;
}

std::set<pid_t> children_of(pid_t parent) {
  std::set<pid_t> all;
  DIR* const dir = ::opendir("/proc");
  while (const dirent* e = ::readdir(dir)) {
    const pid_t process = std::atoi(e->d_name);
    if (process != 0 && mortise::test::state_of(process).second == parent) all.insert(process);
  }
  ::closedir(dir);
  return all;
}

std::set<pid_t> wait_for_children(pid_t parent, std::size_t count) {
  std::set<pid_t> all;
  for (int tries = 0; tries < 6000 && all.size() < count; ++tries) {
    ::usleep(10'000);
    all = children_of(parent);
  }
  return all;
}

bool gone(pid_t process) {
  for (int tries = 0; tries < 3000; ++tries) {
    if (mortise::test::has_ended(process)) return true;
    ::usleep(10'000);
  }
  return false;
}

constexpr const char* three_lines = "readOps: [1-9][0-9]*\nwriteOps: [1-9][0-9]*\nstate: map\\[[0-9: ]+\\]\n";

TEST(processes_command, prints_the_seeds_three_lines_and_nothing_else) {
  for (const auto& kind : kinds) {
    const outcome o = command(run(kind, {"--for", "200ms"}));
    EXPECT_EQ(o.code, 0) << shown(kind) << o.err;
    EXPECT_THAT(o.out, MatchesRegex(three_lines));
    EXPECT_EQ(o.err, "");
  }
}

TEST(processes_command, json_has_all_keys_in_their_order) {
  const outcome o = command(run({"--for", "200ms", "--json", "--keys", "3"}));
  EXPECT_EQ(o.code, 0);
  const auto j = nlohmann::ordered_json::parse(o.out);
  std::vector<std::string> keys;
  for (const auto& item : j.items()) keys.push_back(item.key());
  EXPECT_EQ(
      keys,
      (std::vector<std::string>{
          "schema",    "version",       "scope",           "tasks",       "lock",           "readers",
          "writers",   "keys",          "values",          "sleep_ns",    "seed",           "workers",
          "processes", "kill_every_ns", "duration_ns",     "interrupted", "read_ops",       "write_ops",
          "ops",       "ops_per_s",     "limit_ops_per_s", "overlaps",    "map_mismatches", "torn",
          "kills",     "cpu_ns",        "rss_peak_bytes",  "state",       "wait_ns",        "lateness_ns"}));
  EXPECT_EQ(j["scope"], "processes");
  EXPECT_EQ(j["tasks"], "process");
  EXPECT_EQ(j["processes"], 110);
  EXPECT_EQ(j["ops"], j["read_ops"].get<std::uint64_t>() + j["write_ops"].get<std::uint64_t>());
  EXPECT_GT(j["read_ops"], 0);
  EXPECT_GT(j["write_ops"], 0);
  EXPECT_GE(j["duration_ns"], 200'000'000);
  for (const char* key : {"overlaps", "map_mismatches", "torn", "kills"}) EXPECT_EQ(j[key], 0) << key;
  EXPECT_EQ(j["state"].size(), 3u);
  EXPECT_GT(j["cpu_ns"], 0);
}

// The bug: a process that is killed in the middle of a change leaves a value that is neither the old one nor the new one, or takes
// the lock with it.
TEST(processes_command, whoever_is_killed_tears_nothing_and_stops_nobody) {
  for (const auto& kind : kinds) {
    // Writers that do nothing else are in the middle of a change most of the time.
    const outcome o = command(run(kind, {"--for", "2s", "--kill-every", "5ms", "--sleep", "0", "--readers",
                                         "4", "--writers", "12", "--json"}));
    EXPECT_EQ(o.code, 0) << shown(kind) << o.err;
    ASSERT_FALSE(o.out.empty());
    const json j = json::parse(o.out);
    EXPECT_GT(j["kills"], 0) << shown(kind);
    for (const char* key : {"torn", "overlaps", "map_mismatches"}) EXPECT_EQ(j[key], 0) << shown(kind) << key;
    EXPECT_GT(j["write_ops"], 0);
  }
}

// The control: without the lock the same checks must fail.
TEST(processes_command, no_lock_shows_torn_values_and_exits_1_with_a_line) {
  for (const auto& kind : kinds) {
    const outcome o = command(run(kind, {"--for", "1s", "--lock", "none", "--json"}));
    EXPECT_EQ(o.code, 1) << shown(kind);
    EXPECT_GT(json::parse(o.out)["torn"], 0) << shown(kind);
    EXPECT_THAT(o.err, MatchesRegex("mortise: torn: [0-9]+ times[^\n]+\n"));
  }
}

// The bug: whoever kills the command leaves a hundred processes behind, that go on for ever.
TEST(processes_command, no_process_outlives_the_command_however_it_ends) {
  if (mortise::test::emulated()) GTEST_SKIP() << "the emulator does not pass on that a parent is gone";
  for (const auto& kind : kinds) {
    const running_command c{run(kind, {"--for", "1h", "--kill-every", "100ms"})};
    const std::set<pid_t> workers = wait_for_children(c.process(), kind.empty() ? 110 : 4);
    ASSERT_FALSE(workers.empty());
    ASSERT_EQ(::kill(c.process(), SIGKILL), 0);
    ASSERT_TRUE(gone(c.process()));
    for (const pid_t worker : workers) EXPECT_TRUE(gone(worker)) << shown(kind) << worker;
  }
}

TEST(processes_command, interrupt_ends_all_and_prints_and_exits_130) {
  if (mortise::test::emulated()) {
    GTEST_SKIP()
        << "the emulator handles all signals itself, so it cannot be seen when the command has begun to";
  }
  for (const auto& kind : kinds) {
    running_command c{run(kind, {"--for", "1h", "--sleep", "10m"})};
    const std::set<pid_t> workers = wait_for_children(c.process(), kind.empty() ? 110 : 4);
    c.send(SIGINT, true);  // as a terminal does, to all of them
    const outcome o = c.end();
    EXPECT_EQ(o.code, 130) << shown(kind);
    EXPECT_THAT(o.out, MatchesRegex("readOps: [0-9]+\nwriteOps: [0-9]+\nstate: map\\[[0-9: ]*\\]\n"));
    EXPECT_EQ(o.err, "");
    for (const pid_t worker : workers) EXPECT_TRUE(gone(worker));
  }
  const outcome t = command(run({"--for", "1h", "--json"}), SIGTERM);
  EXPECT_EQ(t.code, 143);
  EXPECT_EQ(json::parse(t.out)["interrupted"], true);
}

// The bug: a process that somebody else ends is not missed, and the run is a good one.
TEST(processes_command, a_process_that_ends_by_itself_is_one_line_and_exit_1) {
  if (mortise::test::emulated()) GTEST_SKIP() << "the emulator's processes are not where they seem to be";
  running_command c{run({"--for", "1h", "--processes", "2"})};
  const std::set<pid_t> workers = wait_for_children(c.process(), 2);
  ASSERT_EQ(workers.size(), 2u);
  ::kill(*workers.begin(), SIGKILL);
  const outcome o = c.end();
  EXPECT_EQ(o.code, 1);
  EXPECT_EQ(o.out, "");
  EXPECT_THAT(o.err, MatchesRegex("mortise: process [12] of 2 was ended by signal 9 \\(Killed\\)\n"));
  for (const pid_t worker : workers) EXPECT_TRUE(gone(worker));
}

TEST(processes_command, tasks_that_cannot_be_had_are_one_line_and_exit_1) {
  if (mortise::sanitized) GTEST_SKIP() << "sanitizers need the address space themselves";
  if (mortise::test::emulated()) GTEST_SKIP() << "the emulator needs the address space itself";
  for (const char* tasks : {"fiber", "coroutine", "thread"}) {
    const outcome o = command(run({"--for", "10ms", "--processes", "2", "--tasks", tasks, "--readers",
                                   tasks == std::string("thread") ? "10000" : "20000000"}),
                              0, "ulimit -v 200000; exec \"$0\" \"$@\"");
    EXPECT_EQ(o.code, 1) << tasks;
    EXPECT_EQ(o.out, "");
    EXPECT_THAT(
        o.err, MatchesRegex("mortise: process [12] of 2: task [0-9]+ of [0-9]+ cannot be started: [^\n]+\n"));
  }
}

TEST(processes_command, none_to_run_is_allowed) {
  EXPECT_EQ(command(run({"--for", "10ms", "--readers", "0", "--writers", "0", "--kill-every", "1ms"})).out,
            "readOps: 0\nwriteOps: 0\nstate: map[]\n");
  EXPECT_EQ(command(run({"--for", "10ms", "--readers", "0"})).code, 0);
  EXPECT_EQ(command(run({"--for", "10ms", "--writers", "0"})).code, 0);
  EXPECT_EQ(command(run({"--for", "0"})).code, 0);
}

TEST(processes_command, bad_input_is_one_line_and_exit_2) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"run", "--processes", "8"},
                                             {"run", "--kill-every", "50ms"},
                                             {"run", "--scope", "processes", "--lock", "std"},
                                             {"run", "--scope", "galaxy"}}) {
    const outcome o = command(words);
    EXPECT_EQ(o.code, 2);
    EXPECT_EQ(o.out, "");
    EXPECT_THAT(o.err, MatchesRegex("mortise: --[^\n]+\n"));
  }
}

}  // namespace
