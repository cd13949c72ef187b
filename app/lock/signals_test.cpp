// Signals to `mortise lock` while COMMAND runs.
#include <gtest/gtest.h>
#include <app/lock/started.hpp>

#include <sys/ioctl.h>

#include <set>
#include <string>

#include <support/emulated.hpp>

namespace {

using namespace app::lock::test;

const std::vector<std::string> tells_signals = {MORTISE_LOCK_PROBE, "signals"};

class lock_signals : public testing::Test {
 protected:
  void SetUp() override {
    if (mortise::test::emulated()) GTEST_SKIP() << "the emulator handles all signals itself";
  }
  const runtime_place m_here;
};

TEST_F(lock_signals, come_to_the_command) {
  started holder{lock({"x"}, tells_signals)};
  ASSERT_EQ(holder.line(), "ready");
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT, SIGALRM,
                           SIGABRT, SIGPIPE, SIGTSTP}) {
    holder.kill(signal);
    EXPECT_EQ(holder.line(), ::sigabbrev_np(signal));
  }
  holder.end_input();
  EXPECT_EQ(holder.wait(), 0);
  EXPECT_EQ(holder.rest(), "");
}

// The bug: one that comes while mortise is not just waiting for it is not blocked, and ends it.
TEST_F(lock_signals, that_come_while_mortise_is_stopped_come_to_the_command) {
  for (const int signal : {SIGTERM, SIGABRT, SIGALRM, SIGUSR1}) {
    started holder{lock({"x"}, tells_signals)};
    ASSERT_EQ(holder.line(), "ready");
    holder.kill(SIGSTOP);
    ASSERT_EQ(holder.wait_stopped(), SIGSTOP);
    holder.kill(signal);
    holder.kill(SIGCONT);
    const std::string first = holder.line(), second = holder.line();
    EXPECT_EQ((std::set{first, second}), (std::set<std::string>{"CONT", ::sigabbrev_np(signal)}));
    holder.end_input();
    EXPECT_EQ(holder.wait(), 0);
  }
}

TEST_F(lock_signals, one_that_ends_the_command_ends_mortise) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1}) {
    started holder{lock({"x"}, shell("echo ready; exec sleep 1000"))};
    ASSERT_EQ(holder.line(), "ready");
    holder.kill(signal);
    EXPECT_EQ(holder.wait(), -signal);
    EXPECT_FALSE(is_held("x"));
  }
}

// Which signals a shell finds blocked, ignored and caught: the C library's own two are its own business.
std::string signals_in(std::vector<std::string> words) {
  const std::string lines = run(std::move(words)).out;
  std::string all;
  for (std::size_t at = 0; (at = lines.find('\t', at)) != std::string::npos; ++at)
    all += std::to_string(std::stoull(lines.substr(at), nullptr, 16) & ~(3ULL << 31)) + ' ';
  return all;
}

// The bug: a signal that the caller ignores is so for COMMAND no more, or one that mortise blocks is for COMMAND too.
TEST_F(lock_signals, command_has_the_signals_as_its_caller) {
  const std::string script = "trap '' HUP USR1; exec \"$@\"";
  const std::vector<std::string> asks = {"grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status"};
  std::vector<std::string> with = {"/bin/sh", "-c", script, "sh"}, without = with;
  without.insert(without.end(), asks.begin(), asks.end());
  for (const std::string& word : lock({"x"}, asks)) with.push_back(word);
  EXPECT_EQ(signals_in(with), signals_in(without));
  EXPECT_TRUE(
      signals_in(with).starts_with("0 " + std::to_string(1 << (SIGHUP - 1) | 1 << (SIGUSR1 - 1)) + ' '));
}

TEST_F(lock_signals, ignored_children_do_not_hide_how_the_command_ended) {
  EXPECT_EQ(run({"/bin/sh", "-c", "trap '' CHLD; exec \"$@\"", "sh", MORTISE_COMMAND, "lock", "x", "/bin/sh",
                 "-c", "exit 7"})
                .code,
            7);
}

// The bug: the shell that started the job does not see that it stopped, and the terminal hangs.
TEST_F(lock_signals, job_stops_and_continues_as_one) {
  for (const bool all : {true, false}) {
    started holder{lock({"x"}, shell("echo $$; read line; exit 7")), started::group::own};
    const pid_t command = std::stoi(holder.line());
    ::kill(all ? -holder.process() : holder.process(), SIGTSTP);
    EXPECT_EQ(holder.wait_stopped(), SIGTSTP);
    EXPECT_EQ(status_of(command, "State")[0], 'T');
    EXPECT_TRUE(is_held("x"));
    ::kill(all ? -holder.process() : holder.process(), SIGCONT);
    holder.end_input();
    EXPECT_EQ(holder.wait(), 7);
  }
}

// The bug: mortise stops with COMMAND, and the SIGCONT that is sent to COMMAND alone leaves it so.
TEST_F(lock_signals, command_that_is_stopped_alone_is_continued_alone) {
  for (const auto& [signal, group] :
       {std::pair{SIGSTOP, started::group::own}, {SIGTSTP, started::group::session}}) {
    started holder{lock({"x"}, shell("echo $$; read line; exit 7")), group};
    const pid_t command = std::stoi(holder.line());
    ::kill(command, signal);
    if (signal == SIGSTOP) {
      while (status_of(command, "State")[0] != 'T') ::usleep(1000);
    }
    ::kill(command, SIGCONT);
    holder.end_input();
    EXPECT_EQ(holder.wait(), 7);
  }
}

// The bug: ^C comes to COMMAND from the terminal, and a second time from mortise.
TEST_F(lock_signals, what_a_terminal_sends_comes_once) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(::grantpt(terminal), 0);
  ASSERT_EQ(::unlockpt(terminal), 0);
  const std::string name = ::ptsname(terminal);
  // A session whose leader opens the terminal has it for its own.
  std::vector<std::string> words = {"/bin/sh", "-c", "exec \"$@\" <$0", name};
  for (const std::string& w : lock({"x"}, tells_signals)) words.push_back(w);
  started holder{words, started::group::session};
  ASSERT_EQ(holder.line(), "ready");
  for (const auto& [key, signal] : {std::pair{"\x03", "INT"}, {"\x1c", "QUIT"}, {"\x1a", "TSTP"}}) {
    ASSERT_EQ(::write(terminal, key, 1), 1);
    EXPECT_EQ(holder.line(), signal);
    holder.kill(SIGUSR1);  // passed on after what came before it
    EXPECT_EQ(holder.line(), "USR1");
  }
  const struct winsize size{50, 100, 0, 0};
  ASSERT_EQ(::ioctl(terminal, TIOCSWINSZ, &size), 0);
  EXPECT_EQ(holder.line(), "WINCH");
  holder.kill(SIGUSR1);
  EXPECT_EQ(holder.line(), "USR1");
  ASSERT_EQ(::write(terminal, "\x04", 1), 1);  // the end of its input
  EXPECT_EQ(holder.wait(), 0);
  ::close(terminal);
}

// The bug: who closes the terminal, or loses the connection, of `ssh -t host mortise lock ...` leaves COMMAND running with the lock. Of that the
// kernel tells the session's leader alone.
TEST_F(lock_signals, command_is_told_that_the_terminal_is_gone) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(::grantpt(terminal), 0);
  ASSERT_EQ(::unlockpt(terminal), 0);
  std::vector<std::string> words = {"/bin/sh", "-c", "exec \"$@\" <$0", ::ptsname(terminal)};
  for (const std::string& w :
       lock({"x"}, shell("trap 'echo told; exit 7' HUP; echo ready; sleep 5 & wait; echo missed")))
    words.push_back(w);
  started holder{words, started::group::session};
  ASSERT_EQ(holder.line(), "ready");
  ::close(terminal);
  EXPECT_EQ(holder.line(), "told");
  EXPECT_EQ(holder.wait(), 7);
}

}  // namespace
