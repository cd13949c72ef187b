// `mortise shm` as a person runs it, on regions that this test has open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <mortise/shm/region.hpp>
#include <nlohmann/json.hpp>
#include <support/emulated.hpp>
#include <support/runtime_place.hpp>

namespace {

using mortise::shm::region;
using testing::HasSubstr;
using testing::MatchesRegex;

struct outcome {
  int code = -1;
  std::string out, err;
};

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> part;
  for (ssize_t n; (n = ::read(fd, part.data(), part.size())) > 0;)
    text.append(part.data(), static_cast<std::size_t>(n));
  ::close(fd);
  return text;
}

outcome shm(std::vector<std::string> words) {
  int out[2], err[2];
  if (::pipe(out) != 0 || ::pipe(err) != 0) return {};
  words.insert(words.begin(), {MORTISE_COMMAND, "shm"});
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    for (const int fd : {out[0], out[1], err[0], err[1]}) ::close(fd);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  outcome o{-1, read_all(out[0]), read_all(err[0])};
  int status = 0;
  ::waitpid(child, &status, 0);
  o.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return o;
}

class shm_command : public testing::Test {
 protected:
  void SetUp() override {
    if (mortise::test::emulated()) GTEST_SKIP() << "the emulator knows no robust mutexes";
  }
  static std::unique_ptr<region> open(const std::string& name) {
    return std::make_unique<region>(
        name, mortise::shm::content{"counters", 17, 24, 8}, [](void*, void*) {}, nullptr);
  }
  mortise::test::runtime_place m_room;
};

TEST_F(shm_command, ls_shows_what_there_is) {
  outcome o = shm({"ls"});
  EXPECT_EQ(o.code, 0);
  EXPECT_EQ(o.out, "nothing in " + m_room.path().string() + "\n");
  EXPECT_EQ(nlohmann::json::parse(shm({"ls", "--json"}).out)["regions"].size(), 0u);
  const auto r = open("jobs");
  r->lock().holder = r->members().me();
  std::ofstream{m_room.path("text")} << "no region";
  o = shm({"ls"});
  EXPECT_EQ(o.code, 0);
  EXPECT_EQ(o.err, "");
  EXPECT_THAT(o.out, MatchesRegex("NAME .*\njobs  counters    24  .*s      1        0  " +
                                  std::to_string(::getpid()) + " app_shm_command\ntext  refused: .*\n"));
  const auto j = nlohmann::json::parse(shm({"ls", "--json"}).out);
  EXPECT_EQ(j["directory"], m_room.path().string());
  ASSERT_EQ(j["regions"].size(), 2u);
  EXPECT_EQ(j["regions"][0]["holder"]["pid"], ::getpid());
  EXPECT_EQ(j["regions"][1]["state"], "refused");
}

TEST_F(shm_command, inspect_shows_one) {
  const auto r = open("jobs");
  const outcome o = shm({"inspect", "jobs"});
  EXPECT_EQ(o.code, 0);
  EXPECT_EQ(o.err, "");
  EXPECT_THAT(o.out, HasSubstr("file          " + m_room.path("jobs").string() + "\n"));
  EXPECT_THAT(o.out, HasSubstr("participants  1\n  " + std::to_string(::getpid()) + " app_shm_command\n"));
  const auto j = nlohmann::json::parse(shm({"inspect", "jobs", "--json"}).out);
  EXPECT_EQ(j["token"], std::to_string(r->first_token()));
  EXPECT_EQ(j["participants"][0]["stopped"], false);
}

TEST_F(shm_command, rm_removes_what_nobody_has_and_says_who_has_it) {
  auto r = open("jobs");
  outcome o = shm({"rm", "jobs"});
  EXPECT_EQ(o.code, 1);
  EXPECT_EQ(o.err, "mortise: shared memory 'jobs' is in use by " + std::to_string(::getpid()) +
                       " app_shm_command, and stays\n");
  r.reset();
  o = shm({"rm", "jobs"});
  EXPECT_EQ(o.code, 0);
  EXPECT_EQ(o.out + o.err, "");
  EXPECT_THAT(m_room.entries(), testing::IsEmpty());
  for (const char* action : {"rm", "inspect"}) {
    o = shm({action, "jobs"});
    EXPECT_EQ(o.code, 1);
    EXPECT_EQ(o.err, "mortise: there is no shared memory 'jobs' in " + m_room.path().string() + "\n");
  }
  std::ofstream{m_room.path("text")} << "no region";
  o = shm({"rm", "text"});
  EXPECT_EQ(o.code, 1);
  EXPECT_THAT(o.err, HasSubstr("is not a region of mortise, and is left as it is\n"));
}

TEST_F(shm_command, bad_usage_is_2_and_help_is_0) {
  EXPECT_EQ(shm({}).code, 2);
  EXPECT_EQ(shm({"rm", ".."}).code, 2);
  EXPECT_THAT(shm({"zap"}).err, MatchesRegex("mortise: shm: zap: .*\n"));
  const outcome o = shm({"--help"});
  EXPECT_EQ(o.code, 0);
  EXPECT_THAT(o.out, HasSubstr("mortise shm inspect NAME"));
}

}  // namespace
