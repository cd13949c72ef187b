// `mortise lock --cluster` as a person runs it, on a private etcd. Each case opens with the bug that it would show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <app/cluster/etcd_place.hpp>
#include <app/lock/started.hpp>

#include <chrono>
#include <thread>

#include <mortise/cluster/etcd/store.hpp>
#include <mortise/cluster/mutex.hpp>
#include <mortise/cluster/session.hpp>
#include <support/emulated.hpp>

namespace {

using namespace std::chrono_literals;
using namespace app::lock::test;
using testing::HasSubstr;
using testing::MatchesRegex;
using clock_type = std::chrono::steady_clock;

class cluster_lock : public app::cluster::test::with_etcd {
 protected:
  static std::vector<std::string> words(const std::string& name, std::vector<std::string> flags,
                                        const std::vector<std::string>& command) {
    std::vector<std::string> all{"--cluster", "--endpoints", etcd().endpoint()};
    all.insert(all.end(), flags.begin(), flags.end());
    all.push_back(name);
    return lock(all, command);
  }
  static bool is_held_by_somebody(const std::string& name) {
    return run(words(name, {"--no-wait", "-E", "77"}, {"/bin/true"})).code == 77;
  }
  static std::uint64_t token_of(const std::string& name) {
    return std::stoull(run(words(name, {}, shell("echo $MORTISE_TOKEN"))).out);
  }
  static bool gone(pid_t process) {
    for (int tries = 0; tries < 3000; ++tries) {
      const std::string state = status_of(process, "State");
      if (state.empty() || state[0] == 'Z') return true;
      ::usleep(10'000);
    }
    return false;
  }
  static void continue_etcd_after(std::chrono::nanoseconds d, std::jthread& by) {
    by = std::jthread{[d] {
      std::this_thread::sleep_for(d);
      etcd().go_on();
    }};
  }
};

TEST_F(cluster_lock, one_excludes_the_other_until_it_has_ended) {
  started holder{words("a/b", {}, shell("echo ready; read line; exit 3"))};
  ASSERT_EQ(holder.line(), "ready") << holder.errors();
  EXPECT_TRUE(is_held_by_somebody("a/b"));
  EXPECT_FALSE(is_held_by_somebody("a/c"));
  started waiter{words("a/b", {}, shell("echo in"))};
  std::this_thread::sleep_for(200ms);
  holder.end_input();
  EXPECT_EQ(holder.wait(), 3);
  EXPECT_EQ(waiter.line(), "in");
  EXPECT_EQ(waiter.wait(), 0);
}

TEST_F(cluster_lock, tokens_grow_and_are_what_the_library_has) {
  const std::uint64_t first = token_of("x"), second = token_of("x");
  EXPECT_GT(second, first);
  mortise::cluster::etcd_store store{{.endpoints = {etcd().endpoint()}, .prefix = "mortise/"}};
  mortise::cluster::session here{store};
  mortise::cluster::mutex m{here, "x"};
  m.lock();
  EXPECT_GT(m.token(), second);
  EXPECT_TRUE(is_held_by_somebody("x")) << "the command and the library meet";
  m.unlock();
  EXPECT_THAT(run(words("x", {}, shell("echo $MORTISE_LOCK"))).out, "x\n");
}

TEST_F(cluster_lock, gives_up_in_time_and_not_early) {
  started holder{words("x", {}, shell("echo ready; read line"))};
  ASSERT_EQ(holder.line(), "ready");
  const auto before = clock_type::now();
  EXPECT_EQ(run(words("x", {"--timeout", "300ms"}, shell("echo in"))).code, 124);
  EXPECT_GE(clock_type::now() - before, 300ms);
  EXPECT_EQ(run(words("x", {"--no-wait"}, shell("echo in"))).code, 124);
  holder.end_input();
  holder.wait();
  EXPECT_EQ(run(words("x", {"--timeout", "10s"}, shell("exit 9"))).code, 9);
}

// The bug: one who waits and is told to end leaves his key, and all others wait until his lease is over.
TEST_F(cluster_lock, a_signal_ends_the_wait_and_leaves_nothing) {
  started holder{words("x", {}, shell("echo ready; read line"))};
  ASSERT_EQ(holder.line(), "ready");
  started waiter{words("x", {}, shell("echo in"))};
  std::this_thread::sleep_for(500ms);
  waiter.kill(SIGTERM);
  EXPECT_EQ(waiter.wait(), -SIGTERM);
  EXPECT_EQ(waiter.rest(), "");
  holder.end_input();
  holder.wait();
  const auto before = clock_type::now();
  EXPECT_EQ(run(words("x", {}, {"/bin/true"})).code, 0);
  EXPECT_LT(clock_type::now() - before, 5s);
}

TEST_F(cluster_lock, signals_come_to_the_command_and_its_end_is_passed_on) {
  started holder{words("x", {}, shell("trap 'echo usr1' USR1; echo ready; while :; do sleep 0.01; done"))};
  ASSERT_EQ(holder.line(), "ready");
  holder.kill(SIGUSR1);
  EXPECT_EQ(holder.line(), "usr1");
  holder.kill(SIGTERM);
  EXPECT_EQ(holder.wait(), -SIGTERM);
  EXPECT_FALSE(is_held_by_somebody("x"));
  const result none = run(words("x", {}, {"no-such-command"}));
  EXPECT_EQ(none.code, 127);
  EXPECT_EQ(none.err, "mortise: no-such-command: No such file or directory\n");
}

// The bug: COMMAND goes on while another machine has the lock, because mortise was killed.
TEST_F(cluster_lock, command_and_its_children_die_with_mortise) {
  started holder{words("x", {"--ttl", "2s"}, shell("setsid sleep 1000 & echo $!; echo $$; wait"))};
  const pid_t child = std::stoi(holder.line()), command = std::stoi(holder.line());
  holder.kill(SIGKILL);
  EXPECT_EQ(holder.wait(), -SIGKILL);
  EXPECT_TRUE(gone(command));
  EXPECT_TRUE(gone(child));
  EXPECT_EQ(run(words("x", {"--timeout", "20s"}, {"/bin/true"})).code, 0) << "its lease is over";
}

// The bug: COMMAND goes on while another machine may have the lock, because etcd cannot be reached, or mortise has no processor.
TEST_F(cluster_lock, a_lease_that_cannot_be_renewed_ends_the_command_in_time) {
  const std::string script = "trap 'echo told' TERM; echo ready; while :; do sleep 0.01; done";
  for (const bool stop_mortise : {false, true}) {
    started holder{words("x", {"--ttl", "3s", "--grace", "1s"}, shell(script))};
    ASSERT_EQ(holder.line(), "ready");
    std::jthread later;
    if (stop_mortise) {
      holder.kill(SIGSTOP);
    } else {
      etcd().stop();
      continue_etcd_after(4s, later);
    }
    const auto began = clock_type::now();
    EXPECT_EQ(holder.line(), "told");
    EXPECT_EQ(holder.line(), "") << "COMMAND is gone";
    EXPECT_LT(clock_type::now() - began, 3s) << "the lease was renewed before that";
    if (stop_mortise) holder.kill(SIGCONT);
    EXPECT_EQ(holder.wait(), 123);
    EXPECT_THAT(holder.errors(), MatchesRegex("(Terminated\n)*mortise: lock x: it was lost[^\n]+\n"));
  }
}

// The bug: the guard does not hear of renewals.
TEST_F(cluster_lock, a_command_that_takes_longer_than_the_ttl_ends_by_itself) {
  const result r = run(words("x", {"--ttl", "2s", "--grace", "100ms"}, shell("sleep 3; exit 3")));
  EXPECT_EQ(r.code, 3) << r.err;
}

// The bug: a key that somebody removes is not missed.
TEST_F(cluster_lock, a_key_that_is_gone_ends_the_command_at_once) {
  started holder{
      words("x", {"--ttl", "1h"}, shell("trap '' TERM; echo $MORTISE_TOKEN; while :; do sleep 1; done"))};
  ASSERT_NE(holder.line(), "");
  mortise::cluster::etcd_store store{{.endpoints = {etcd().endpoint()}, .prefix = "mortise/"}};
  mortise::cluster::transaction find;
  find.then = {mortise::cluster::range{"x//q/", true}};
  std::atomic<bool> done{false};
  store.commit(find, [&](const mortise::cluster::transaction_reply& r) {
    mortise::cluster::transaction remove;
    remove.then = {mortise::cluster::erase{r.found.at(0).at(0).key}};
    store.commit(remove, [&](const mortise::cluster::transaction_reply&) { done = true; });
  });
  EXPECT_EQ(holder.wait(), 123);
  while (!done) std::this_thread::sleep_for(1ms);
}

// The bug: what COMMAND has started goes on when the guard is killed.
TEST_F(cluster_lock, command_and_its_children_die_with_the_guard) {
  started holder{words("x", {}, shell("setsid sleep 1000 & echo $!; echo $$; echo $PPID; wait"))};
  const pid_t child = std::stoi(holder.line()), command = std::stoi(holder.line());
  ::kill(std::stoi(holder.line()), SIGKILL);
  EXPECT_EQ(holder.wait(), 125);
  EXPECT_EQ(holder.errors(), "mortise: the guard of COMMAND was killed, and COMMAND with it\n");
  EXPECT_TRUE(gone(command));
  EXPECT_TRUE(gone(child));
  EXPECT_FALSE(is_held_by_somebody("x"));
}

// The bug: COMMAND, in a process group of its own, cannot read from the terminal, or ^C and ^Z do not come to it.
TEST_F(cluster_lock, the_terminal_is_lent_to_the_command) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(::grantpt(terminal), 0);
  ASSERT_EQ(::unlockpt(terminal), 0);
  // A session whose leader opens the terminal has it for its own.
  std::vector<std::string> all = {"/bin/sh", "-c", "exec \"$@\" <$0", ::ptsname(terminal)};
  for (const std::string& w :
       words("x", {}, shell("trap 'echo int' INT; read a; echo got $a; while :; do read a; done")))
    all.push_back(w);
  started holder{all, started::group::session};
  ASSERT_EQ(::write(terminal, "hello\n", 6), 6);
  EXPECT_EQ(holder.line(), "got hello");
  ASSERT_EQ(::write(terminal, "\x03", 1), 1);
  EXPECT_EQ(holder.line(), "int");
  ASSERT_EQ(::write(terminal, "\x1a", 1), 1);
  EXPECT_EQ(holder.wait_stopped(), SIGSTOP) << "so that a shell sees it";
  holder.kill(SIGCONT);
  std::this_thread::sleep_for(100ms);
  ASSERT_EQ(::write(terminal, "\x03", 1), 1);
  EXPECT_EQ(holder.line(), "int");
  holder.kill(SIGTERM);
  EXPECT_EQ(holder.wait(), -SIGTERM);
  ::close(terminal);
}

TEST_F(cluster_lock, an_etcd_that_is_not_there_is_one_line) {
  const result r = run(lock({"--cluster", "x", "--endpoints", "http://127.0.0.1:1"}, {"/bin/true"}));
  EXPECT_EQ(r.code, 125);
  EXPECT_THAT(r.err, MatchesRegex("mortise: no lease: [^\n]+\n"));
}

TEST_F(cluster_lock, bad_input_is_one_line_and_exit_125) {
  for (const std::vector<std::string>& given :
       std::vector<std::vector<std::string>>{{"--cluster"},
                                             {"--cluster", "x"},
                                             {"--cluster", "a//b", "true"},
                                             {"--cluster", "x", "--ttl", "1ms", "true"},
                                             {"--cluster", "x", "--grace", "5s", "true"},
                                             {"--cluster", "x", "--endpoints", "etcd:2379", "true"},
                                             {"--cluster", "x", "--user", "u", "true"},
                                             {"--cluster=x", "true"},
                                             {"x", "--ttl", "5s", "true"}}) {
    const result r = run(lock(given));
    EXPECT_EQ(r.code, 125);
    EXPECT_EQ(r.out, "");
    EXPECT_THAT(r.err, MatchesRegex("mortise: [^\n]+\n"));
  }
}

}  // namespace
