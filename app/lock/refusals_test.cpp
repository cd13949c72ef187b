// What `mortise lock` does not trust. Each case is refused by one line, and COMMAND does not run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <app/lock/started.hpp>

#include <cstdint>

namespace {

using namespace app::lock::test;
using testing::HasSubstr;
using testing::MatchesRegex;

std::string refusal(const std::string& name) {
  const result r = run(lock({name}, shell("echo in")));
  EXPECT_EQ(r.code, 125);
  EXPECT_EQ(r.out, "");
  EXPECT_THAT(r.err, MatchesRegex("mortise: [^\n]+\n"));
  return r.err;
}

void put(const std::string& file, const std::string& text, mode_t mode) {
  std::ofstream(file) << text;
  ::chmod(file.c_str(), mode);
}

// The bug: a name with a slash leads out of the directory.
TEST(lock_refusals, names) {
  const runtime_place here;
  for (const char* name : {"", "a/b", "../x", "/tmp/x", ".", "..", ".hidden", "a b", "ä", "a\nb"})
    EXPECT_THAT(refusal(name), HasSubstr("NAME: "));
  EXPECT_THAT(refusal(std::string(65, 'x')), HasSubstr("1 to 64"));
  EXPECT_EQ(run(lock({std::string(64, 'x')}, {"/bin/true"})).code, 0);
  EXPECT_EQ(run(lock({"--", "-x"}, {"/bin/true"})).code, 125);
}

// The bug: what stands at the end of somebody's link is locked, and its first 8 bytes are lost.
TEST(lock_refusals, symbolic_link) {
  const runtime_place here;
  put(here.path("victim"), "12345678", 0600);
  std::filesystem::create_symlink("victim", here.path("x.lock"));
  EXPECT_THAT(refusal("x"), HasSubstr("x.lock is a symbolic link"));
  std::filesystem::create_symlink("nowhere", here.path("y.lock"));
  EXPECT_THAT(refusal("y"), HasSubstr("y.lock is a symbolic link"));
  EXPECT_FALSE(std::filesystem::exists(here.path("nowhere")));
  std::string kept;
  std::ifstream(here.path("victim")) >> kept;
  EXPECT_EQ(kept, "12345678");
}

TEST(lock_refusals, mode_that_lets_others_in) {
  const runtime_place here;
  for (const mode_t mode : {0644, 0660, 0666, 0700, 04600}) {
    put(here.path("x.lock"), "", mode);
    EXPECT_THAT(refusal("x"), HasSubstr("has mode "));
  }
  put(here.path("x.lock"), "", 0644);
  EXPECT_THAT(refusal("x"), HasSubstr("x.lock has mode 0644; a lock's file has 0600"));
}

TEST(lock_refusals, second_link) {
  const runtime_place here;
  put(here.path("x.lock"), "", 0600);
  std::filesystem::create_hard_link(here.path("x.lock"), here.path("elsewhere"));
  EXPECT_THAT(refusal("x"), HasSubstr("x.lock has 2 links"));
}

TEST(lock_refusals, other_users_file) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  const runtime_place here;
  put(here.path("x.lock"), "", 0600);
  ASSERT_EQ(::chown(here.path("x.lock").c_str(), 1, 1), 0);
  EXPECT_THAT(refusal("x"), HasSubstr("x.lock belongs to user 1, and you are user 0"));
}

TEST(lock_refusals, no_regular_file) {
  const runtime_place here;
  std::filesystem::create_directory(here.path("x.lock"));
  refusal("x");
  ASSERT_EQ(::mkfifo(here.path("y.lock").c_str(), 0600), 0);  // the bug: to open one waits for the other end
  EXPECT_THAT(refusal("y"), HasSubstr("y.lock is no regular file"));
}

// Whatever it is, it is nobody's lock.
TEST(lock_refusals, other_length) {
  const runtime_place here;
  for (const std::size_t length : {1u, 7u, 9u, 4096u}) {
    put(here.path("x.lock"), std::string(length, 'x'), 0600);
    EXPECT_THAT(refusal("x"), HasSubstr("x.lock has " + std::to_string(length) + " bytes"));
  }
}

TEST(lock_refusals, tokens_that_are_used_up) {
  const runtime_place here;
  put(here.path("x.lock"), std::string(8, '\xff'), 0600);
  EXPECT_THAT(refusal("x"), HasSubstr("the greatest token"));
}

TEST(lock_refusals, directory_that_is_not_there) {
  const runtime_place here;
  ::setenv("MORTISE_RUNTIME_DIR", here.path("x.lock/none").c_str(), 1);
  put(here.path("x.lock"), "", 0600);
  refusal("x");
}

// The bug: with an unusual umask the first one made a file that the second could not open.
TEST(lock_refusals, umask_of_the_caller_matters_to_the_command_only) {
  const runtime_place here;
  std::vector<std::string> words = {"/bin/sh", "-c", "umask 777; exec \"$@\"", "sh"};
  for (const std::string& w : lock({"x"}, shell("umask"))) words.push_back(w);
  EXPECT_EQ(run(words).out, "0777\n");
  EXPECT_EQ(run(lock({"x"}, {"/bin/true"})).code, 0);
}

}  // namespace
