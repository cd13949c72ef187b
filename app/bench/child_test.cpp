#include <app/bench/child.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <system_error>

namespace app::bench {
namespace {

using namespace std::chrono_literals;

child_result shell(const std::string& script, std::chrono::milliseconds limit = 60s) {
  return run_child({"/bin/sh", "-c", script}, limit);
}

// Whether a process is gone, or dead and not yet waited for, within ten seconds.
bool ends(int process) {
  for (int tries = 0; process > 0 && tries < 1000; ++tries) {
    std::ifstream in("/proc/" + std::to_string(process) + "/stat");
    std::string id, name, state;
    if (!(in >> id >> name >> state) || state == "Z" || state == "X") return true;
    ::usleep(10'000);
  }
  return false;
}

// The bug: a pipe that is full stops a program that writes to the other one.
TEST(child, both_outputs_are_caught_whole) {
  const child_result r = shell(
      "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done; "
      "i=0; while [ $i -lt 3000 ]; do echo abcdefghijklmnopqrstuvwxyzabcdefghijklmnop >&2; i=$((i+1)); done");
  EXPECT_TRUE(r.well());
  EXPECT_EQ(r.out.size(), 3000u * 41);
  EXPECT_EQ(r.err.size(), 3000u * 43);
}

TEST(child, how_it_ended_is_one_line) {
  EXPECT_EQ(shell("echo first >&2; echo last >&2; exit 3").why(), "exit 3: last");
  EXPECT_EQ(shell("kill -SEGV $$").why(), "signal 11: no word");
  EXPECT_EQ(shell("printf 'a\\033[2Jb' >&2; exit 1").why(), "exit 1: a?[2Jb");
}

// The bug: one that hangs, or leaves a child with its output, hangs the whole run.
TEST(child, one_that_does_not_end_is_killed_with_its_children) {
  const child_result r = shell("sleep 1000 & echo $!; wait", 500ms);
  EXPECT_EQ(r.why(), "did not end in time");
  EXPECT_TRUE(ends(std::atoi(r.out.c_str())));
  EXPECT_EQ(shell("sleep 1000 & exit 0", 50ms).why(), "did not end in time");
  EXPECT_EQ(shell("exec >&- 2>&-; sleep 1000", 50ms).why(), "did not end in time");
}

TEST(child, what_cannot_be_started_is_an_error_with_its_name) {
  try {
    run_child({"/no/such/program"}, 1s);
    FAIL();
  } catch (const std::system_error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("/no/such/program"));
  }
}

}  // namespace
}  // namespace app::bench
