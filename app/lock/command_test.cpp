// `mortise lock` as a person runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <app/lock/started.hpp>

#include <chrono>

#include <support/emulated.hpp>

namespace {

using namespace app::lock::test;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

std::uint64_t token_of(const std::string& name) {
  return std::stoull(run(lock({name}, shell("echo $MORTISE_TOKEN"))).out);
}

TEST(lock_command, one_excludes_the_other_until_it_has_ended) {
  const runtime_place here;
  started holder{lock({"x"}, shell("echo ready; read line"))};
  ASSERT_EQ(holder.line(), "ready");
  EXPECT_TRUE(is_held("x"));
  EXPECT_FALSE(is_held("y"));
  started waiter{lock({"x"}, shell("echo in"))};
  await_waiting(waiter.process());
  holder.end_input();
  EXPECT_EQ(holder.wait(), 1);  // what `read` says at the end of its input
  EXPECT_EQ(waiter.line(), "in");
  EXPECT_EQ(waiter.wait(), 0);
  EXPECT_FALSE(is_held("x"));
}

// The bug: two are in at once. The control is the same without the lock: of two that are both in, one finds the other's mark.
TEST(lock_command, many_count_without_losing_one) {
  const runtime_place here;
  const std::string one = "mkdir $0 || { echo overlap; exit 1; }; rmdir $0; echo $MORTISE_TOKEN >>$1";
  constexpr int parties = 4, turns = 20;
  std::vector<std::unique_ptr<started>> all;
  const std::string loop = "for i in $(seq " + std::to_string(turns) + "); do \"$@\" || exit 1; done";
  for (int i = 0; i < parties; ++i) {
    std::vector<std::string> words = {"/bin/sh", "-c", loop, "sh"};
    const std::vector<std::string> turn =
        lock({"x"}, {"/bin/sh", "-c", one, here.path("mark"), here.path("tokens")});
    words.insert(words.end(), turn.begin(), turn.end());
    all.push_back(std::make_unique<started>(words));
  }
  for (const auto& party : all) EXPECT_EQ(party->wait(), 0) << party->rest() << party->errors();
  std::ifstream tokens(here.path("tokens"));
  std::uint64_t last = 0, count = 0;
  for (std::uint64_t token = 0; tokens >> token; last = token, ++count) EXPECT_GT(token, last);
  EXPECT_EQ(count, std::uint64_t{parties} * turns);

  started first{shell("mkdir " + here.path("mark").string() + "; echo in; read line")};
  ASSERT_EQ(first.line(), "in");
  EXPECT_EQ(run({"/bin/sh", "-c", one, here.path("mark"), "/dev/null"}).out, "overlap\n");
}

TEST(lock_command, tokens_grow_also_when_the_file_is_made_again) {
  const runtime_place here;
  const std::uint64_t first = token_of("x"), second = token_of("x");
  EXPECT_GT(second, first);
  std::filesystem::remove(here.path("x.lock"));
  EXPECT_GT(token_of("x"), second);
  std::ofstream(here.path("x.lock"), std::ios::binary | std::ios::trunc)
      .write("\xff\xff\xff\xff\xff\xff\xff\x7f", 8);
  EXPECT_EQ(token_of("x"),
            std::uint64_t{1} << 63);  // a clock that was set back does not make one of them smaller
}

TEST(lock_command, tells_the_command_which_lock_and_token) {
  const runtime_place here;
  const result r = run(lock({"x"}, lock({"y.1-b"}, shell("echo $MORTISE_LOCK $MORTISE_TOKEN"))));
  EXPECT_THAT(r.out, MatchesRegex("y.1-b [0-9]+\n"));  // of two the inner one
  EXPECT_EQ(r.err, "");
}

TEST(lock_command, two_names_nest) {
  const runtime_place here;
  started both{lock({"x"}, lock({"y"}, shell("echo ready; read line")))};
  ASSERT_EQ(both.line(), "ready");
  EXPECT_TRUE(is_held("x"));
  EXPECT_TRUE(is_held("y"));
  both.end_input();
  both.wait();
  EXPECT_FALSE(is_held("x"));
  EXPECT_FALSE(is_held("y"));
}

// The bug: it waits for ever for what its own parent holds.
TEST(lock_command, one_that_would_wait_for_itself_is_told) {
  const runtime_place here;
  const result r = run(lock({"x"}, lock({"y"}, lock({"x"}, {"/bin/true"}))));
  EXPECT_EQ(r.code, 125);
  EXPECT_THAT(r.err, MatchesRegex("mortise: lock x: [^\n]+ it would wait for itself\n"));
  EXPECT_EQ(run(lock({"x"}, lock({"x", "--timeout", "1ms"}, {"/bin/true"}))).code, 124);
}

TEST(lock_command, gives_up_in_time_and_not_early) {
  const runtime_place here;
  started holder{lock({"x"}, shell("echo ready; read line"))};
  ASSERT_EQ(holder.line(), "ready");
  const auto before = std::chrono::steady_clock::now();
  const result r = run(lock({"x", "--timeout", "50ms"}, shell("echo in")));
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(50));
  EXPECT_EQ(r.code, 124);
  EXPECT_EQ(r.out + r.err, "");
  EXPECT_EQ(run(lock({"x", "--no-wait"}, shell("echo in"))).code, 124);
  EXPECT_EQ(run(lock({"x", "--timeout", "0"}, shell("echo in"))).code, 124);
  EXPECT_EQ(run(lock({"x", "--timeout", "1ns", "-E", "0"}, shell("echo in"))).code, 0);
  EXPECT_EQ(run(lock({"x", "--no-wait", "--conflict-exit-code", "255"}, shell("echo in"))).code, 255);
}

TEST(lock_command, waits_within_its_time) {
  const runtime_place here;
  started holder{lock({"x"}, shell("echo ready; read line"))};
  ASSERT_EQ(holder.line(), "ready");
  started waiter{lock({"x", "--timeout", "1h"}, shell("echo in"))};
  await_waiting(waiter.process());
  holder.end_input();
  EXPECT_EQ(waiter.wait(), 0);
  EXPECT_EQ(waiter.line(), "in");
}

TEST(lock_command, passes_exit_codes_on) {
  const runtime_place here;
  for (const int code : {0, 1, 7, 124, 125, 255})
    EXPECT_EQ(run(lock({"x"}, shell("exit " + std::to_string(code)))).code, code);
  for (const auto& [signal, code] :
       {std::pair{"KILL", "137"}, {"TERM", "143"}, {"INT", "130"}, {"USR1", "138"}}) {
    const std::string seen = "\"$@\"; echo $?";  // by a shell
    std::vector<std::string> words = {"/bin/sh", "-c", seen, "sh"};
    for (const std::string& w : lock({"x"}, shell(std::string("kill -") + signal + " $$")))
      words.push_back(w);
    EXPECT_EQ(run(words).out, std::string(code) + "\n");
  }
  EXPECT_EQ(run(lock({"x"}, shell("kill -KILL $$"))).code, -SIGKILL);  // so that a shell's loop ends by ^C
}

TEST(lock_command, what_cannot_be_run_is_told_from_what_is_not_there) {
  if (mortise::test::emulated()) GTEST_SKIP() << "the emulator does not tell why a program cannot be started";
  const runtime_place here;
  const result none = run(lock({"x"}, {"no-such-command"}));
  EXPECT_EQ(none.code, 127);
  EXPECT_EQ(none.err, "mortise: no-such-command: No such file or directory\n");
  EXPECT_EQ(run(lock({"x"}, {here.path("none")})).code, 127);
  std::ofstream(here.path("script")) << "echo of a shell: $1\n";
  const result not_executable = run(lock({"x"}, {here.path("script")}));
  EXPECT_EQ(not_executable.code, 126);
  EXPECT_THAT(not_executable.err, MatchesRegex("mortise: [^\n]+/script: Permission denied\n"));
  EXPECT_EQ(run(lock({"x"}, {here.path("")})).code, 126);
  std::filesystem::permissions(here.path("script"), std::filesystem::perms::owner_all);
  EXPECT_EQ(run(lock({"x"}, {here.path("script"), "a b"})).out, "of a shell: a b\n");  // as execvp(3) has it
  EXPECT_FALSE(is_held("x"));
}

// The bug: the lock's file became the standard output that was closed, and COMMAND printed into it.
TEST(lock_command, closed_standard_streams_stay_closed) {
  const runtime_place here;
  const std::uint64_t before = token_of("x");
  std::vector<std::string> words = {"/bin/sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"};
  for (const std::string& w : lock({"x"}, shell("echo 12345678901234567890 && exit 1; exit 0")))
    words.push_back(w);
  EXPECT_EQ(run(words).code, 0);
  EXPECT_GT(token_of("x"), before);
  EXPECT_EQ(std::filesystem::file_size(here.path("x.lock")), 8u);
}

TEST(lock_command, few_descriptors_are_enough) {
  const runtime_place here;
  std::vector<std::string> words = {"/bin/sh", "-c", "ulimit -n 20; exec \"$@\"", "sh"};
  for (const std::string& w : lock({"x"}, shell("echo in"))) words.push_back(w);
  EXPECT_EQ(run(words).out, "in\n");
}

// The bug: most of the time that a short command takes under a lock went to loading libraries for other commands.
TEST(lock_command, needs_the_c_library_only) {
  if (!MORTISE_FEW_LIBRARIES) GTEST_SKIP() << "not all that the command needs is here as a static library";
  const std::string libraries =
      run({"/bin/sh", "-c", "LD_TRACE_LOADED_OBJECTS=1 exec $0", MORTISE_COMMAND}).out;
  EXPECT_THAT(libraries, HasSubstr("libc.so"));
  for (const char* library : {"libstdc++", "libgcc_s", "libfmt", "libboost_context", "libz"})
    EXPECT_THAT(libraries, Not(HasSubstr(library)));
}

// The bug: all commands load gRPC, which a few need (docs/decisions/cluster-command.md).
TEST(lock_command, needs_no_grpc) {
  const std::string libraries =
      run({"/bin/sh", "-c", "LD_TRACE_LOADED_OBJECTS=1 exec $0", MORTISE_COMMAND}).out;
  EXPECT_THAT(libraries, HasSubstr("libc.so"));
  for (const char* library : {"libgrpc", "libprotobuf"}) EXPECT_THAT(libraries, Not(HasSubstr(library)));
}

TEST(lock_command, bad_input_is_one_line_and_exit_125) {
  const runtime_place here;
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"x"},
                                             {"x", "--"},
                                             {"x", "--timeout", "soon", "true"},
                                             {"x", "-E", "256", "true"},
                                             {"x", "--no-wait", "--timeout", "1s", "true"},
                                             {"x", "--nowait", "true"}}) {
    const result r = run(lock(words));
    EXPECT_EQ(r.code, 125);
    EXPECT_EQ(r.out, "");
    EXPECT_THAT(r.err, MatchesRegex("mortise: [^\n]+\n"));
  }
  EXPECT_EQ(run(lock({"--help"})).code, 0);
  EXPECT_THAT(run(lock({"--help"})).out, HasSubstr("Exit codes:"));
}

}  // namespace
