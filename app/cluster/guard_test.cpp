// The guard of `mortise lock --cluster`, without a lock. Each case opens with the bug that it would show.
#include <app/cluster/guard.hpp>

#include <gtest/gtest.h>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <mortise/cluster/boot_clock.hpp>
#include <support/emulated.hpp>
#include <support/process_state.hpp>
#include <support/runtime_place.hpp>

namespace {

using namespace std::chrono_literals;
using app::cluster::guard;
using mortise::nanos;
using mortise::cluster::boot_now;
using mortise::test::has_ended;

constexpr nanos ms = 1'000'000, hour = 3'600'000 * ms;

bool gone(pid_t process) {
  for (int tries = 0; tries < 3000 && !has_ended(process); ++tries) std::this_thread::sleep_for(10ms);
  return has_ended(process);
}

class guarded_command : public testing::Test {
 protected:
  void SetUp() override {
    if (mortise::test::emulated()) GTEST_SKIP() << "the emulator does not pass on that a parent is gone";
    ::signal(SIGPIPE, SIG_IGN);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
    sigset_t news;
    ::sigemptyset(&news);
    ::sigaddset(&news, guard::stop_news());
    ::sigprocmask(SIG_BLOCK, &news, nullptr);
  }
  std::string path(const char* name) const { return m_here.path(name); }
  std::vector<std::string> shell(const std::string& script) const {
    return {"/bin/sh", "-c", "cd " + m_here.path().string() + "; " + script};
  }
  // What stands in a file, once there are so many words.
  std::vector<std::string> words(const char* name, std::size_t count) const {
    std::vector<std::string> all;
    for (int tries = 0; tries < 1000; ++tries) {
      std::ifstream in{path(name)};
      all.assign(std::istream_iterator<std::string>{in}, {});
      if (all.size() >= count) break;
      std::this_thread::sleep_for(10ms);
    }
    EXPECT_GE(all.size(), count) << name;
    all.resize(std::max(all.size(), count), "0");
    return all;
  }
  pid_t process(const char* name) const { return std::stoi(words(name, 1)[0]); }

  static guard::result ended(const guard& g) {
    siginfo_t end{};
    ::waitid(P_PID, static_cast<id_t>(g.process()), &end, WEXITED | WNOWAIT);
    return g.ended();
  }
  static sigset_t none() {
    sigset_t s;
    ::sigemptyset(&s);
    return s;
  }
  guard::result run(const std::vector<std::string>& command) const {
    guard g{command, 100 * ms, none()};
    g.start("x", 7, boot_now() + hour);
    return ended(g);
  }

  const mortise::test::runtime_place m_here;
};

TEST_F(guarded_command, has_lock_and_token_and_its_end_is_told) {
  const guard::result r = run(shell("echo $MORTISE_LOCK $MORTISE_TOKEN >out; exit 7"));
  EXPECT_EQ(r.code, 7);
  EXPECT_EQ(r.signal, 0);
  EXPECT_TRUE(r.in_time);
  EXPECT_TRUE(r.has_ended);
  EXPECT_EQ(words("out", 2), (std::vector<std::string>{"x", "7"}));
  EXPECT_EQ(run(shell("kill -USR1 $$")).signal, SIGUSR1);
  EXPECT_EQ(run({"no-such-command"}).start_error, ENOENT);
  EXPECT_EQ(run({"/"}).start_error, EACCES);
}

// The bug: it does not end in time because it ignores SIGTERM, has children elsewhere, or is stopped.
TEST_F(guarded_command, is_told_to_end_and_ended_before_the_deadline) {
  guard g{
      shell(
          "trap 'date +%s%N >told' TERM; setsid sh -c 'trap : TERM; echo $$ >elsewhere; while :; do sleep 1; done' & "
          "(echo $$; kill -STOP $(sh -c 'echo $PPID')) >stopped & echo $$ >command; while :; do sleep 0.01; done"),
      500 * ms, none()};
  const nanos deadline = boot_now() + 1500 * ms;
  g.start("x", 1, deadline);
  const pid_t command = process("command"), elsewhere = process("elsewhere");
  while (boot_now() < deadline - 600 * ms) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(std::ifstream{path("told")}.fail()) << "too early";
  const guard::result r = ended(g);
  EXPECT_LT(boot_now(), deadline);
  EXPECT_GE(boot_now(), deadline - 200 * ms);
  EXPECT_FALSE(r.in_time);
  words("told", 1);
  EXPECT_TRUE(has_ended(command));
  EXPECT_TRUE(has_ended(elsewhere));
}

// The bug: its shell hears SIGTERM, and what that has started does not.
TEST_F(guarded_command, all_of_its_group_is_told_to_end) {
  guard g{
      shell("sh -c 'trap \"echo child >child; exit\" TERM; echo $$ >ready; while :; do sleep 0.01; done' & "
            "trap : TERM; wait; wait; exit 6"),
      10'000 * ms, none()};
  g.start("x", 1, boot_now() + 11'000 * ms);
  while (std::ifstream{path("ready")}.fail()) {
    g.put_off(boot_now() + 11'000 * ms);
    std::this_thread::sleep_for(1ms);
  }
  const guard::result r = ended(g);
  EXPECT_EQ(r.code, 6);
  EXPECT_EQ(words("child", 1)[0], "child");
}

TEST_F(guarded_command, one_that_ends_when_told_has_ended_too_early_all_the_same) {
  guard g{shell("trap 'exit 0' TERM; while :; do sleep 0.01; done"), 500 * ms, none()};
  g.start("x", 1, boot_now() + 700 * ms);
  EXPECT_FALSE(ended(g).in_time);
}

// The bug: a renewal comes too late for the timer that was set.
TEST_F(guarded_command, runs_on_while_the_deadline_is_put_off) {
  guard g{shell("sleep 1; exit 3"), 200 * ms, none()};
  g.start("x", 1, boot_now() + 500 * ms);
  std::jthread renews{[&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      g.put_off(boot_now() + 500 * ms);
      std::this_thread::sleep_for(20ms);
    }
  }};
  const guard::result r = ended(g);
  EXPECT_EQ(r.code, 3);
  EXPECT_TRUE(r.in_time);
}

TEST_F(guarded_command, is_ended_at_once_when_the_lock_is_gone) {
  guard g{shell("trap '' TERM; echo $$ >command; while :; do sleep 1; done"), 10'000 * ms, none()};
  g.start("x", 1, boot_now() + hour);
  process("command");
  const nanos began = boot_now();
  g.lock_is_gone();
  EXPECT_FALSE(ended(g).in_time);
  EXPECT_LT(boot_now() - began, 5000 * ms);
}

// The bug: who kills mortise with SIGKILL leaves COMMAND running, without a lock from then on.
TEST_F(guarded_command, does_not_outlive_mortise_nor_do_its_children) {
  const pid_t mortise = ::fork();
  if (mortise == 0) {
    guard g{
        shell(
            "setsid sleep 1000 & echo $! >child; sh -c '(sleep 1000 & echo $! >orphan)'; echo $$ >command; wait"),
        100 * ms, none()};
    g.start("x", 1, boot_now() + hour);
    ::pause();
  }
  const std::vector<pid_t> all{process("command"), process("child"), process("orphan")};
  for (const pid_t p : all) EXPECT_FALSE(has_ended(p));
  ::kill(mortise, SIGKILL);
  ::waitpid(mortise, nullptr, 0);
  for (const pid_t p : all) EXPECT_TRUE(gone(p)) << p;
}

// The bug: a daemon that COMMAND has started goes on without the lock.
TEST_F(guarded_command, leaves_nothing_running_when_it_has_ended) {
  const guard::result r =
      run(shell("setsid sh -c 'trap : TERM; echo $$ >child; while :; do sleep 1; done' & "
                "while [ ! -s child ]; do sleep 0.01; done; exit 5"));
  EXPECT_EQ(r.code, 5);
  EXPECT_TRUE(r.in_time);
  EXPECT_TRUE(has_ended(process("child")));
}

TEST_F(guarded_command, is_told_when_it_stops_and_goes_on) {
  guard g{shell("echo $$ >command; kill -TSTP $$; exit 4"), 100 * ms, none()};
  g.start("x", 1, boot_now() + hour);
  sigset_t news;
  ::sigemptyset(&news);
  ::sigaddset(&news, guard::stop_news());
  const timespec long_enough{30, 0};
  EXPECT_EQ(::sigtimedwait(&news, nullptr, &long_enough), guard::stop_news());
  EXPECT_EQ(g.stopped_by(), SIGTSTP);
  g.go_on();
  EXPECT_EQ(ended(g).code, 4);
}

// The control: of a guard that is killed COMMAND alone is killed by the kernel.
TEST_F(guarded_command, dies_with_its_guard) {
  guard g{shell("echo $$ >command; while :; do sleep 1; done"), 100 * ms, none()};
  g.start("x", 1, boot_now() + hour);
  const pid_t command = process("command");
  ::kill(g.process(), SIGKILL);
  EXPECT_FALSE(ended(g).has_ended);
  EXPECT_TRUE(gone(command));
}

TEST_F(guarded_command, one_that_is_not_started_leaves_nothing) {
  const guard never_started{shell("echo started >out"), 100 * ms, none()};
}

}  // namespace
