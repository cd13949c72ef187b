// How long `mortise lock` holds: until COMMAND, and all that inherited the lock from it, are gone.
#include <gtest/gtest.h>
#include <app/lock/started.hpp>

#include <support/emulated.hpp>

namespace {

using namespace app::lock::test;

// Who prints the process of a shell that waits for the end of its input.
const std::vector<std::string> waits = shell("echo $$; read line");

std::vector<std::string> probe(std::vector<std::string> words, const std::vector<std::string>& command = {}) {
  words.insert(words.begin(), MORTISE_LOCK_PROBE);
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

class lock_held : public testing::Test {
 protected:
  void SetUp() override {
    if (mortise::test::emulated())
      GTEST_SKIP() << "the emulator is a process of its own: to kill it is something else";
  }
  const runtime_place m_here;
};

// The bug: who kills the parent frees the lock while the work goes on.
TEST_F(lock_held, to_kill_mortise_does_not_free_it_while_the_command_runs) {
  started holder{lock({"x"}, waits)};
  const pid_t command = std::stoi(holder.line());
  ASSERT_NE(command, holder.process());
  holder.kill(SIGKILL);
  EXPECT_EQ(holder.wait(), -SIGKILL);
  EXPECT_NE(status_of(command, "State")[0], 'Z');
  EXPECT_TRUE(is_held("x"));
  started next{lock({"x"}, shell("echo in"))};
  await_waiting(next.process());
  holder.end_input();  // COMMAND ends
  EXPECT_EQ(next.line(), "in");
  EXPECT_EQ(next.wait(), 0);
  EXPECT_FALSE(is_held("x"));
}

// The control: a parent that holds it alone.
TEST_F(lock_held, to_kill_a_naive_holder_frees_it_while_the_command_runs) {
  started holder{probe({"naive", m_here.path("x.lock")}, waits)};
  const pid_t command = std::stoi(holder.line());
  EXPECT_TRUE(is_held("x"));
  holder.kill(SIGKILL);
  EXPECT_EQ(holder.wait(), -SIGKILL);
  EXPECT_EQ(::kill(command, 0), 0);
  EXPECT_FALSE(is_held("x"));
}

// The bug: ssh, sudo and daemons close all descriptors that they have not opened, and with them the lock.
TEST_F(lock_held, command_that_closes_its_descriptors_does_not_free_it) {
  started holder{lock({"x"}, probe({"closes"}))};
  ASSERT_EQ(holder.line(), "ready");
  EXPECT_TRUE(is_held("x"));
  holder.end_input();
  EXPECT_EQ(holder.wait(), 0);
  EXPECT_FALSE(is_held("x"));
}

// The control: a holder that becomes COMMAND, as flock -F does.
TEST_F(lock_held, command_that_closes_its_descriptors_frees_it_if_nobody_else_has_them) {
  started holder{probe({"becomes", m_here.path("x.lock")}, probe({"closes"}))};
  ASSERT_EQ(holder.line(), "ready");
  EXPECT_FALSE(is_held("x"));
}

TEST_F(lock_held, descendants_hold_it_after_the_command_has_ended) {
  ASSERT_EQ(::mkfifo(m_here.path("gate").c_str(), 0600), 0);
  started holder{lock({"x"}, {"/bin/sh", "-c", "cat $0 >/dev/null 2>&1 & echo ready", m_here.path("gate")})};
  ASSERT_EQ(holder.line(), "ready");
  EXPECT_EQ(holder.wait(), 0);
  EXPECT_TRUE(is_held("x"));
  started next{lock({"x"}, shell("echo in"))};
  await_waiting(next.process());
  std::ofstream(m_here.path("gate")) << "go\n";
  EXPECT_EQ(next.line(), "in");
}

TEST_F(lock_held, to_kill_all_frees_it) {
  started holder{lock({"x"}, waits), started::group::own};
  const pid_t command = std::stoi(holder.line());
  EXPECT_EQ(::getpgid(command), holder.process());
  ::kill(-holder.process(), SIGKILL);
  EXPECT_EQ(holder.wait(), -SIGKILL);
  EXPECT_EQ(run(lock({"x"}, shell("echo in"))).out, "in\n");  // as soon as COMMAND is gone too
}

TEST_F(lock_held, to_kill_one_that_waits_changes_nothing) {
  started holder{lock({"x"}, waits)};
  holder.line();
  started waiter{lock({"x"}, shell("echo in"))};
  await_waiting(waiter.process());
  waiter.kill(SIGTERM);
  EXPECT_EQ(waiter.wait(), -SIGTERM);
  EXPECT_TRUE(is_held("x"));
}

// The bug: a file that was removed and made again has two holders, of whom one waited for the old one.
TEST_F(lock_held, one_that_waited_for_a_removed_file_waits_for_the_new_one) {
  started first{lock({"x"}, waits)};
  first.line();
  started waiter{lock({"x"}, shell("echo $MORTISE_TOKEN"))};
  await_waiting(waiter.process());
  std::filesystem::remove(m_here.path("x.lock"));
  started second{lock({"x"}, shell("echo $MORTISE_TOKEN; read line"))};
  const std::uint64_t token = std::stoull(second.line());
  first.end_input();
  first.wait();
  EXPECT_TRUE(await_waiting(waiter.process(), m_here.path("x.lock"))) << "it has not waited for the new one";
  second.end_input();
  EXPECT_GT(std::stoull(waiter.line()), token);
}

// The bug: one that is killed between its acquisition and its token's write leaves a token that was told already, or half of one.
TEST_F(lock_held, killed_at_any_moment_it_leaves_tokens_that_grow) {
  const std::vector<std::string> tells = {"/bin/sh", "-c", "echo $MORTISE_TOKEN >>$0", m_here.path("told")};
  int killed_before = 0;
  for (int i = 0; i < 100; ++i) {
    {
      started victim{lock({"x"}, tells)};
      ::usleep(static_cast<useconds_t>(i * 30));
      victim.kill(SIGKILL);
      if (victim.wait() == -SIGKILL) ++killed_before;
    }
    EXPECT_EQ(run(lock({"x"}, tells)).code, 0);
  }
  EXPECT_GT(killed_before, 0);
  std::ifstream told(m_here.path("told"));
  std::uint64_t last = 0;
  for (std::uint64_t token = 0; told >> token; last = token) EXPECT_GT(token, last);
  EXPECT_GT(last, 0u);
}

}  // namespace
