#include <bench/harness/told.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bench {
namespace {

told shell(const std::string& script) { return told{{"/bin/sh", "-c", script}}; }

TEST(told, says_lines_and_goes_on_when_told_to) {
  told one = shell("echo ready; read word; echo $word 1; echo 2");
  one.hear("ready");
  one.go_on();
  EXPECT_EQ(one.hear(), "go 1");
  EXPECT_EQ(one.hear(), "2");
  one.end();
}

// The bug: a benchmark waits for ever for one that has ended, or believes what it never said.
TEST(told, one_that_ends_or_says_something_else_is_an_error) {
  told ended = shell("echo first");
  EXPECT_EQ(ended.hear(), "first");
  EXPECT_THROW(ended.hear(), std::runtime_error);
  told other = shell("echo other");
  EXPECT_THROW(other.hear("ready"), std::runtime_error);
  told mute = shell("sleep 10");
  EXPECT_THROW(mute.hear(std::chrono::milliseconds{20}), std::runtime_error);
}

TEST(told, one_that_ends_badly_is_an_error) {
  told bad = shell("exit 3");
  EXPECT_THROW(bad.end(), std::runtime_error);
}

TEST(told, one_that_is_left_is_killed) {
  pid_t pid = 0;
  {
    told left = shell("echo $$; exec sleep 1000");
    pid = std::stoi(left.hear());
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

}  // namespace
}  // namespace bench
