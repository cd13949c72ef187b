// `mortise bench` as a person runs it, on contenders that are scripts: sound ones, and ones that crash, print rubbish, say
// that their result does not add up, or are not there.
#include <app/bench/child.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <support/emulated.hpp>

namespace app::bench {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

// Offers the workload `uncontended` on three kinds, and notes each of its runs.
constexpr const char* sound = R"(
if [ "$1" = --list ]; then
  echo '{"contender": "'$name'", "version": "1.2", "language": "sh", "workloads": {"uncontended": ["thread", "fiber", "coroutine"]}}'
  exit
fi
echo "$name $*" >>"$folder/runs"
echo '{"bench": "x", "ns": '$ns'}'
)";

class bench_command : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "mortise-bench-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    m_folder = folder;
    contender("mortise", "ns=5", sound);
    contender("std", "ns=10", sound);
  }
  void TearDown() override { std::filesystem::remove_all(m_folder); }

  void contender(const std::string& name, const std::string& first, const std::string& script) {
    const auto file = m_folder / ("contender-" + name);
    std::ofstream(file) << "#!/bin/sh\nname=" << name << "\nfolder='" << m_folder.string() << "'\n"
                        << first << script;
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }

  // One that answers --list as a sound one does, and then does something else.
  void contender_that(const std::string& name, const std::string& does) {
    contender(name, "[ \"$1\" = --list ] || { " + does + "; }\nns=7", sound);
  }

  child_result bench(const std::string& arguments, const std::string& around = "") const {
    const std::string words = around + " '" MORTISE_COMMAND "' bench --programs '" + m_folder.string() + "' ";
    return run_child({"/bin/sh", "-c", words + arguments}, std::chrono::minutes(2));
  }

  // The lines of --json by the name of their cell; the first one, the header, without a name.
  std::map<std::string, json> lines(const child_result& r) const {
    std::map<std::string, json> all;
    std::istringstream in(r.out);
    for (std::string line; std::getline(in, line);) {
      const json j = json::parse(line);
      all[j.value("bench", "")] = j;
    }
    return all;
  }

  std::string text_of(const std::string& name) const {
    std::ifstream in(m_folder / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::filesystem::path m_folder;
};

constexpr const char* ours = "uncontended/mortise/kind:thread";

TEST_F(bench_command, json_is_a_header_and_a_line_for_each_cell) {
  const child_result r = bench("P5 --json --repetitions 2");
  ASSERT_TRUE(r.well()) << r.why();
  EXPECT_EQ(r.err, "");  // a pipe: no progress
  const auto all = lines(r);
  EXPECT_EQ(all.at("")["schema"], "mortise.bench/1");
  EXPECT_EQ(all.at("")["machine"]["contenders"]["std"], "1.2");
  const json& line = all.at(ours);
  EXPECT_EQ(line["id"], "P5");
  EXPECT_EQ(line["repetitions"], 2);
  EXPECT_EQ(line["figures"]["ns"]["samples"], (std::vector<double>{5, 5}));
  EXPECT_EQ(line["bars"][0]["measured"], 0.5);
  EXPECT_EQ(line["bars"][0]["met"], true);
}

// The bug: all samples of one contender, then all of the next: a noisy minute falls on one of them.
TEST_F(bench_command, contenders_take_turns_and_each_repetition_begins_with_the_next) {
  ASSERT_TRUE(bench("P5 --repetitions 2").well());
  std::vector<std::string> runs;
  std::istringstream in(text_of("runs"));
  for (std::string line; std::getline(in, line);) runs.push_back(line.substr(0, line.find(" iterations")));
  const std::vector<std::string> expected{
      "mortise uncontended kind:thread",    "mortise uncontended kind:fiber",
      "mortise uncontended kind:coroutine", "std uncontended kind:thread",
      "std uncontended kind:fiber",         "mortise uncontended kind:fiber",
      "mortise uncontended kind:coroutine", "std uncontended kind:thread",
      "std uncontended kind:fiber",         "mortise uncontended kind:thread"};
  EXPECT_EQ(runs, expected);
}

// The bug: one peer that crashes takes the whole run with it, or counts as measured.
TEST_F(bench_command, one_that_crashes_is_named_and_the_others_are_measured) {
  contender_that("absl", "kill -SEGV $$");
  const child_result r = bench("P5 --json");
  EXPECT_EQ(WEXITSTATUS(r.status), 1);
  const auto all = lines(r);
  EXPECT_EQ(all.at("uncontended/absl/kind:thread")["failed"], "signal 11: no word");
  EXPECT_FALSE(all.at("uncontended/absl/kind:thread").contains("figures"));
  EXPECT_EQ(all.at(ours)["bars"][0]["met"], true);
}

TEST_F(bench_command, one_that_prints_rubbish_is_refused) {
  contender_that("absl", "echo 5 ns; exit 0");
  const auto all = lines(bench("P5 --json"));
  EXPECT_THAT(all.at("uncontended/absl/kind:thread")["failed"], HasSubstr("not one JSON object"));
}

// The bug: a lock that loses increments is fast, and its bar met.
TEST_F(bench_command, a_sum_that_is_wrong_meets_no_bar) {
  contender_that("mortise", "echo the counter holds 5 of 6 increments >&2; exit 1");
  const child_result r = bench("P5 --json");
  EXPECT_EQ(WEXITSTATUS(r.status), 1);
  const json line = lines(r).at(ours);
  EXPECT_EQ(line["failed"], "exit 1: the counter holds 5 of 6 increments");
  EXPECT_EQ(line["bars"][0]["met"], false);
}

// The bug: it is only the last repetition that counts.
TEST_F(bench_command, a_failure_in_a_later_repetition_is_a_failure) {
  contender_that("mortise", "[ ! -e $folder/again ] || exit 9; >$folder/again");
  const json line = lines(bench("P5 --json --repetitions 3")).at(ours);
  EXPECT_EQ(line["failed"], "exit 9: no word");
  EXPECT_EQ(line["bars"][0]["met"], false);
}

TEST_F(bench_command, one_that_is_not_there_is_skipped_with_a_word) {
  const child_result r = bench("P5");
  EXPECT_TRUE(r.well()) << r.why();
  EXPECT_THAT(r.out, HasSubstr("go: skipped: contender-go is not built"));
  EXPECT_THAT(r.out, HasSubstr("met, moonshot"));
}

// The bug: without its measure every ratio is open, and the run looks fine.
TEST_F(bench_command, without_the_measure_of_the_ratios_it_fails) {
  std::filesystem::remove(m_folder / "contender-std");
  const child_result r = bench("P5 --json");
  EXPECT_EQ(WEXITSTATUS(r.status), 1);
  const auto all = lines(r);
  EXPECT_EQ(all.at("uncontended/std/kind:thread")["failed"], "contender-std is not built");
  EXPECT_TRUE(all.at(ours)["bars"][0]["met"].is_null());
}

TEST_F(bench_command, a_list_that_is_not_understood_is_a_failure) {
  contender("absl", "echo help; exit 0", "");
  const auto all = lines(bench("P5 --json"));
  EXPECT_THAT(all.at("uncontended/absl/kind:thread")["failed"], HasSubstr("with --list is not understood"));
}

TEST_F(bench_command, what_a_contender_does_not_offer_is_skipped) {
  const child_result r = bench("burst --json --quick");
  EXPECT_TRUE(r.well()) << r.why();
  EXPECT_EQ(lines(r).at("burst/mortise/kind:thread/parties:8/held_ns:20")["skipped"], "mortise has no burst");
}

// The bug: the seed's program is that of a contender, which does not check its sections, and not the command's own.
TEST_F(bench_command, the_seed_is_the_commands_own_run) {
  if (mortise::test::emulated()) GTEST_SKIP() << "the emulator does not run what is started under it";
  const child_result r = bench("P1 --quick --json");
  ASSERT_TRUE(r.well()) << r.why();
  const json figures = lines(r).at("seed/mortise/kind:fiber/readers:100/writers:10")["figures"];
  EXPECT_EQ(figures["overlaps"]["median"], 0);
  for (const char* name : {"ops_per_s", "cpu_percent", "lateness_p99_ns", "stall_p999_ns"})
    EXPECT_TRUE(figures.contains(name)) << name;
}

// The bug: the table of a file is not that of the run, or losses are left out of it.
TEST_F(bench_command, lines_of_an_earlier_run_are_shown_as_it_was) {
  contender("std", "ns=4", sound);
  const std::string file = (m_folder / "run.jsonl").string();
  ASSERT_TRUE(bench("P5 --json >" + file).well());
  const auto from = [&](const std::string& flags) {
    return run_child({"/bin/sh", "-c", "'" MORTISE_COMMAND "' bench --from " + file + " " + flags},
                     std::chrono::minutes(1));
  };
  EXPECT_EQ(from("--json").out, text_of("run.jsonl"));
  const std::string text = from("").out;
  EXPECT_THAT(text, HasSubstr("NOT MET"));
  EXPECT_THAT(text, HasSubstr("1.250x std"));
  EXPECT_THAT(text, HasSubstr("where a peer is faster"));
  EXPECT_THAT(from("--markdown").out, HasSubstr("| P5 | uncontended/mortise/kind:thread |"));
  EXPECT_EQ(from("sleep").err, "mortise: sleep: neither an id (P5) nor a workload (uncontended)\n");
}

TEST_F(bench_command, bad_usage_is_one_line_and_exit_2) {
  for (const char* arguments :
       {"P99", "--quick --full", "--repetitions none", "--from /no/such/file", "--from /dev/null"}) {
    const child_result r = bench(arguments);
    EXPECT_EQ(WEXITSTATUS(r.status), 2) << arguments;
    EXPECT_EQ(r.out, "");
    EXPECT_THAT(r.err, MatchesRegex("mortise: [^\n]+\n"));
  }
}

TEST_F(bench_command, no_contenders_at_all_is_one_line_and_exit_1) {
  const child_result r =
      run_child({MORTISE_COMMAND, "bench", "--programs", "/no/such/folder"}, std::chrono::minutes(1));
  EXPECT_EQ(WEXITSTATUS(r.status), 1);
  EXPECT_THAT(r.err, MatchesRegex("mortise: [^\n]+\n"));
}

// The bug: an interrupted run loses what an hour has measured, or leaves a contender behind.
TEST_F(bench_command, interrupted_it_prints_what_there_is) {
  contender_that("std", ">$folder/begun; exec sleep 1000");
  const child_result r = bench("P5 --json & while [ ! -e '" + m_folder.string() +
                               "/begun' ]; do sleep 0.05; done; kill -INT $!; wait $!");
  EXPECT_EQ(WEXITSTATUS(r.status), 130);
  const auto all = lines(r);
  EXPECT_EQ(all.at(ours)["repetitions"], 1);
  EXPECT_FALSE(all.contains("uncontended/std/kind:thread"));
}

// What a terminal would show.
std::string on_a_terminal(const std::string& script) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal < 0 || ::grantpt(terminal) != 0 || ::unlockpt(terminal) != 0) return "no terminal";
  const std::string name = ::ptsname(terminal);
  const pid_t child = ::fork();
  if (child == 0) {
    const int fd = ::open(name.c_str(), O_RDWR);
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
    ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
    ::_exit(127);
  }
  const int keep =
      ::open(name.c_str(), O_RDWR | O_NOCTTY);  // so that reading ends with the child, not before it begins
  std::string text;
  for (bool ended = false;;) {
    char part[4096];
    ::fcntl(terminal, F_SETFL, O_NONBLOCK);
    const ssize_t n = ::read(terminal, part, sizeof part);
    if (n > 0) text.append(part, static_cast<std::size_t>(n));
    if (n <= 0 && ended) break;
    if (n <= 0) {
      ended = ::waitpid(child, nullptr, WNOHANG) == child;
      ::usleep(2'000);
    }
  }
  ::close(keep);
  ::close(terminal);
  return text;
}

TEST_F(bench_command, colours_and_progress_are_for_terminals_that_want_them) {
  const std::string words =
      " '" MORTISE_COMMAND "' bench P5 --repetitions 1 --programs '" + m_folder.string() + "'";
  const std::string usual = on_a_terminal("TERM=xterm NO_COLOR=" + words);
  EXPECT_THAT(usual, HasSubstr("\033[32mmet"));
  EXPECT_THAT(usual, HasSubstr("left, uncontended/mortise/kind:thread"));
  const std::string plain = on_a_terminal("TERM=xterm NO_COLOR=1" + words);
  EXPECT_THAT(plain, HasSubstr("met, moonshot"));
  EXPECT_THAT(plain, Not(HasSubstr("\033[32m")));
  EXPECT_THAT(on_a_terminal("TERM=dumb" + words), Not(HasSubstr("\033")));
}

}  // namespace
}  // namespace app::bench
