// mortise run --trace, as a person runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <set>
#include <string>

#include <mortise/base/abi.hpp>
#include <mortise/base/sanitizers.hpp>
#include <nlohmann/json.hpp>
#include <support/command.hpp>

namespace {

using mortise::test::command;
using mortise::test::outcome;
using testing::HasSubstr;
using testing::MatchesRegex;

struct trace_in_a_file {
  std::string name = testing::TempDir() + "mortise_trace_" + std::to_string(::getpid()) + ".json";
  ~trace_in_a_file() { std::remove(name.c_str()); }
  nlohmann::json read() const {
    std::ifstream file(name);
    return nlohmann::json::parse(file);
  }
};

// The bug: the file is empty, or no JSON, or has slices of nobody.
TEST(trace_command, writes_what_every_kind_of_task_does) {
  for (const char* tasks : {"fiber", "coroutine", "thread"}) {
    const trace_in_a_file file;
    const outcome o = command({"run", "--for", "100ms", "--tasks", tasks, "--trace", file.name});
    EXPECT_EQ(o.code, 0) << tasks;
    EXPECT_EQ(o.err, "") << tasks;
    EXPECT_THAT(o.out, HasSubstr("readOps: "));
    const auto t = file.read();
    EXPECT_EQ(t["otherData"]["left_out"], 0);
    std::set<std::string> phases, kinds;
    for (const auto& e : t["traceEvents"]) {
      phases.insert(e["ph"]);
      if (e["ph"] == "X") kinds.insert(e["cat"]);
    }
    EXPECT_TRUE(phases.contains("M"));
    if (tasks != std::string{"thread"}) EXPECT_TRUE(kinds.contains(tasks));
  }
}

// The bug: a timeline that is cut looks like the whole.
TEST(trace_command, says_that_the_file_is_full) {
  if (mortise::sanitized || MORTISE_IS_CHECKED)
    GTEST_SKIP() << "too slow to fill it; trace_test has the bound";
  const trace_in_a_file file;
  outcome o;
  for (const char* time : {"2s", "8s", "32s"}) {
    o = command({"run", "--for", time, "--sleep", "0", "--trace", file.name});
    if (!o.err.empty()) break;
  }
  EXPECT_EQ(o.code, 0);
  EXPECT_THAT(o.err,
              MatchesRegex("mortise: --trace: .* is full and ends after [0-9.]+ s: [0-9]+ events are in it, "
                           "[0-9]+ that came later are not\n"));
  EXPECT_GT(file.read()["otherData"]["left_out"], 0);
}

// The bug: the work is done, and then there is nothing to show for it.
TEST(trace_command, refuses_what_it_cannot_write_or_trace) {
  outcome o = command({"run", "--trace", "/nowhere/trace.json"});
  EXPECT_EQ(o.code, 2);
  EXPECT_EQ(o.err, "mortise: --trace: /nowhere/trace.json cannot be written\n");
  o = command({"run", "--trace", "t.json", "--scope", "processes"});
  EXPECT_EQ(o.code, 2);
  EXPECT_EQ(o.err, "mortise: --trace: t.json works with --scope process only, not processes\n");
  o = command({"run", "--for", "10ms", "--trace", "/dev/full"});
  EXPECT_EQ(o.code, 1);
  EXPECT_EQ(o.err, "mortise: --trace: the trace /dev/full cannot be written: No space left on device\n");
  EXPECT_THAT(o.out, HasSubstr("readOps: ")) << "what was measured is told all the same";
}

}  // namespace
