// The command as a person runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <mortise/base/sanitizers.hpp>
#include <mortise/insight/profile.hpp>
#include <nlohmann/json.hpp>
#include <support/command.hpp>
#include <support/emulated.hpp>

namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

using mortise::test::command;
using mortise::test::outcome;

constexpr const char* three_lines = "readOps: [0-9]+\nwriteOps: [0-9]+\nstate: map\\[[0-9: ]*\\]\n";

TEST(command, prints_the_seeds_three_lines_and_nothing_else) {
  for (const char* tasks : {"fiber", "coroutine", "thread"}) {
    const outcome o = command({"run", "--for", "100ms", "--tasks", tasks});
    EXPECT_EQ(o.code, 0) << tasks;
    EXPECT_THAT(o.out, MatchesRegex(three_lines));
    EXPECT_EQ(o.err, "");  // a pipe: no progress
  }
}

TEST(command, json_has_all_keys_in_their_order) {
  const outcome o = command({"run", "--for", "100ms", "--json", "--seed", "3", "--keys", "3"});
  EXPECT_EQ(o.code, 0);
  const auto j = nlohmann::ordered_json::parse(o.out);
  std::vector<std::string> keys;
  for (const auto& item : j.items()) keys.push_back(item.key());
  EXPECT_EQ(keys, (std::vector<std::string>{
                      "schema",         "version", "scope",          "tasks",           "lock",
                      "readers",        "writers", "keys",           "values",          "sleep_ns",
                      "seed",           "workers", "duration_ns",    "interrupted",     "read_ops",
                      "write_ops",      "ops",     "ops_per_s",      "limit_ops_per_s", "overlaps",
                      "map_mismatches", "cpu_ns",  "rss_peak_bytes", "state",           "wait_ns",
                      "lateness_ns"}));
  EXPECT_EQ(j["ops"], j["read_ops"].get<std::uint64_t>() + j["write_ops"].get<std::uint64_t>());
  EXPECT_GE(j["duration_ns"], 100'000'000);
  EXPECT_EQ(j["overlaps"], 0);
  EXPECT_EQ(j["map_mismatches"], 0);
  EXPECT_LE(j["state"].size(), 3u);
  for (const char* key : {"p50", "p99", "max"}) {
    EXPECT_TRUE(j["wait_ns"].contains(key));
    EXPECT_TRUE(j["lateness_ns"].contains(key));
  }
}

// The bug: printing a large map took time square in its keys.
TEST(command, a_large_map_is_printed) {
  const outcome o =
      command({"run", "--for", "500ms", "--sleep", "0", "--readers", "0", "--keys", "200000", "--json"});
  EXPECT_EQ(o.code, 0);
  EXPECT_GT(nlohmann::json::parse(o.out)["state"].size(), MORTISE_IS_CHAOS ? 100u : 10'000u);
}

// The control: with the protection off the same checks must fail.
TEST(command, no_lock_shows_overlaps) {
  for (const char* tasks : {"fiber", "coroutine", "thread"}) {
    const outcome o = command({"run", "--for", "300ms", "--lock", "none", "--json", "--tasks", tasks});
    EXPECT_EQ(o.code, 1) << tasks;
    EXPECT_GT(nlohmann::json::parse(o.out)["overlaps"], 0) << tasks;
  }
}

TEST(command, every_lock_and_kind_that_guards_is_sound) {
  for (const auto& [tasks, lock] : {std::pair{"fiber", "mortise"},
                                    {"coroutine", "mortise"},
                                    {"thread", "mortise"},
                                    {"thread", "std"},
                                    {"fiber", "shared"},
                                    {"coroutine", "shared"},
                                    {"thread", "shared"}}) {
    const outcome o =
        command({"run", "--for", "100ms", "--sleep", "0", "--tasks", tasks, "--lock", lock, "--json"});
    EXPECT_EQ(o.code, 0) << tasks << ' ' << lock << ' ' << o.out;
  }
}

TEST(command, bad_input_is_one_line_and_exit_2) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"run", "--readers", "x"},
                                             {"run", "--raeders", "1"},
                                             {"run", "--lock", "std"},
                                             {"run", "--for", "soon"},
                                             {"run", "stray"},
                                             {"rum"}}) {
    const outcome o = command(words);
    EXPECT_EQ(o.code, 2);
    EXPECT_EQ(o.out, "");
    EXPECT_THAT(o.err, MatchesRegex("mortise: [^\n]+\n"));
  }
}

TEST(command, interrupt_prints_and_exits_130) {
  if (mortise::test::emulated()) {
    GTEST_SKIP()
        << "the emulator handles all signals itself, so it cannot be seen when the command has begun to";
  }
  for (const char* tasks : {"fiber", "coroutine", "thread"}) {
    const outcome o = command({"run", "--for", "1h", "--sleep", "10m", "--tasks", tasks}, SIGINT);
    EXPECT_EQ(o.code, 130) << tasks;
    EXPECT_THAT(o.out, MatchesRegex(three_lines));
    EXPECT_EQ(o.err, "");
  }
  const outcome t = command({"run", "--for", "1h", "--json"}, SIGTERM);
  EXPECT_EQ(t.code, 143);
  EXPECT_EQ(nlohmann::json::parse(t.out)["interrupted"], true);
}

// No address space for so many: what ran is ended, and one line says why.
TEST(command, tasks_that_cannot_be_had_are_one_line_and_exit_1) {
  if (mortise::sanitized) GTEST_SKIP() << "sanitizers need the address space themselves";
  if (mortise::test::emulated()) GTEST_SKIP() << "the emulator needs the address space itself";
  for (const char* tasks : {"fiber", "coroutine", "thread"}) {
    const std::string line = std::string("ulimit -v 200000; exec \"$0\" \"$@\"");
    const outcome o = command({"run", "--readers", tasks == std::string("thread") ? "5000" : "10000000",
                               "--for", "10ms", "--tasks", tasks},
                              0, line);
    EXPECT_EQ(o.code, 1) << tasks;
    EXPECT_EQ(o.out, "");
    EXPECT_THAT(o.err, MatchesRegex("mortise: task [0-9,]+ of [0-9,]+ cannot be started: [^\n]+\n"));
  }
}

TEST(command, result_that_cannot_be_written_is_a_failure) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"run", "--for", "1ms"}, {"--version"}, {"run", "--help"}, {}}) {
    const outcome o = command(words, 0, "exec \"$0\" \"$@\" >/dev/full");
    EXPECT_EQ(o.code, 1);
    EXPECT_EQ(o.err, "mortise: cannot write to standard output\n");
  }
}

// The bug: who has no node gets no result either, or does not learn why there is no page.
TEST(command, without_the_page_the_result_stands_and_one_line_says_what_is_missing) {
  if (mortise::test::emulated()) GTEST_SKIP() << "a copy of the command cannot be started by its file";
  const std::string elsewhere =
      "d=$(mktemp -d) && trap 'rm -r $d' EXIT && cp \"$0\" $d/mortise && cd $d && ./mortise \"$@\"";
  const outcome o = command({"run", "--for", "10ms", "--report", "page.html"}, 0, elsewhere);
  EXPECT_EQ(o.code, 1);
  EXPECT_THAT(o.out, MatchesRegex(three_lines));
  EXPECT_THAT(o.err, MatchesRegex("mortise: --report: no page will be written: [^\n]+node[^\n]+\n"));
}

TEST(command, report_that_cannot_be_written_is_refused_before_the_run) {
  const outcome o = command({"run", "--for", "1h", "--report", "/no/such/folder/page.html"});
  EXPECT_EQ(o.code, 2);
  EXPECT_EQ(o.err, "mortise: --report: /no/such/folder/page.html cannot be written\n");
}

// The bug: ten minutes of a run end with a file that cannot be written, or with an empty one.
TEST(command, profile_is_written_or_refused_before_the_run) {
  const outcome refused = command({"run", "--for", "1h", "--profile", "/no/such/folder/p.pb.gz"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err,
              MatchesRegex("mortise: --profile: /no/such/folder/p.pb.gz cannot be written[^\n]*\n"));
  if (!mortise::insight::profile::can_write()) GTEST_SKIP() << "this build cannot write profiles";
  const std::string file = testing::TempDir() + "mortise_command_test.pb.gz";
  const outcome o = command({"run", "--for", "100ms", "--sleep", "0", "--profile", file});
  EXPECT_EQ(o.code, 0);
  EXPECT_EQ(o.err, "");
  std::ifstream written(file, std::ios::binary);
  EXPECT_EQ(written.get(), 0x1f);  // as gzip's begin
  EXPECT_EQ(written.get(), 0x8b);
  std::remove(file.c_str());
}

TEST(command, none_to_run_is_allowed) {
  EXPECT_EQ(command({"run", "--for", "10ms", "--readers", "0", "--writers", "0"}).out,
            "readOps: 0\nwriteOps: 0\nstate: map[]\n");
  EXPECT_EQ(command({"run", "--for", "10ms", "--readers", "0"}).code, 0);
  EXPECT_EQ(command({"run", "--for", "10ms", "--writers", "0"}).code, 0);
  EXPECT_EQ(command({"run", "--for", "0"}).code, 0);
}

TEST(command, alone_it_shows_examples_and_its_version_when_asked) {
  EXPECT_THAT(command({}).out, HasSubstr("mortise run --tasks thread --lock std"));
  EXPECT_EQ(command({}).code, 0);
  EXPECT_THAT(command({"--version"}).out, MatchesRegex("mortise [0-9]+\\.[0-9]+\\.[0-9]+ \\(.*\\)\n"));
  EXPECT_THAT(command({"run", "--help"}).out, HasSubstr("--readers"));
}

}  // namespace
