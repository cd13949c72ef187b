// Where the files of regions are. Each opens with the bug that it would show.
#include <mortise/shm/directory.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>

#include <mortise/shm/error.hpp>
#include <support/runtime_place.hpp>

namespace {

namespace fs = std::filesystem;
using mortise::shm::runtime_directory;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

mode_t mode_of(const fs::path& p) {
  struct stat s{};
  return ::stat(p.c_str(), &s) == 0 ? s.st_mode & 07777 : 0;
}

// The one line by which it is refused; empty if it is not.
std::string refused() {
  try {
    runtime_directory();
    return {};
  } catch (const mortise::shm::error& e) {
    EXPECT_THAT(e.what(), Not(HasSubstr("\n")));
    return e.what();
  }
}

class runtime_directory_of : public testing::Test {
 protected:
  void SetUp() override { ::unsetenv("XDG_RUNTIME_DIR"); }
  void use_only(const fs::path& p) { ::setenv("MORTISE_RUNTIME_DIR", p.c_str(), 1); }
  void use_session(const fs::path& p) {
    ::unsetenv("MORTISE_RUNTIME_DIR");
    ::setenv("XDG_RUNTIME_DIR", p.c_str(), 1);
  }
  fs::path make(const std::string& name, mode_t mode) {
    const fs::path p = m_room.path(name);
    EXPECT_EQ(::mkdir(p.c_str(), 0700), 0);
    EXPECT_EQ(::chmod(p.c_str(), mode), 0);
    return p;
  }
  static std::string in_tmp() { return "/tmp/mortise-" + std::to_string(::geteuid()); }

  mortise::test::runtime_place m_room;
};

// The bug: it is open to others, because the umask is lax, or shut for ourselves, because it is strict.
TEST_F(runtime_directory_of, this_user_alone_is_made_on_first_use) {
  for (const mode_t mask : {0000, 0277}) {
    const fs::path p = m_room.path("own" + std::to_string(mask));
    use_only(p);
    const mode_t before = ::umask(mask);
    EXPECT_EQ(runtime_directory(), p);
    ::umask(before);
    EXPECT_EQ(mode_of(p), 0700);
    EXPECT_EQ(runtime_directory(), p) << "the second time";
  }
}

// The bug: two programs of one session do not meet, or regions lie openly in the session's directory.
TEST_F(runtime_directory_of, a_session_is_a_folder_of_it) {
  const fs::path session = make("session", 0700);
  use_session(session.string() + "///");
  EXPECT_EQ(runtime_directory(), session / "mortise");
  EXPECT_EQ(mode_of(session / "mortise"), 0700);
}

// The bug: what others may write is trusted, or a program without a session has nowhere to go.
TEST_F(runtime_directory_of, no_session_or_one_that_is_not_to_be_trusted_is_in_tmp) {
  ::unsetenv("MORTISE_RUNTIME_DIR");
  EXPECT_EQ(runtime_directory(), in_tmp());
  EXPECT_EQ(mode_of(in_tmp()), 0700);
  for (const mode_t open_to_others : {0777, 0720, 01777}) {
    use_session(make("open" + std::to_string(open_to_others), open_to_others));
    EXPECT_EQ(runtime_directory(), in_tmp());
  }
  use_session(m_room.path("missing"));
  EXPECT_EQ(runtime_directory(), in_tmp());
  use_session("relative");
  EXPECT_EQ(runtime_directory(), in_tmp());
  make("target", 0700);
  fs::create_directory_symlink(m_room.path("target"), m_room.path("link"));
  use_session(m_room.path("link").string() + "/");
  EXPECT_EQ(runtime_directory(), in_tmp());
  if (::geteuid() == 0) {
    const fs::path foreign = make("foreign", 0700);
    ASSERT_EQ(::chown(foreign.c_str(), 4711, 4711), 0);
    use_session(foreign);
    EXPECT_EQ(runtime_directory(), in_tmp());
  }
}

// The bug: a squatter's directory, which he can change at will, is used, silently.
TEST_F(runtime_directory_of, a_squatter_is_refused_and_not_passed_over) {
  use_only(make("lax", 0750));
  EXPECT_THAT(refused(), AllOf(HasSubstr("/lax has mode 0750"), HasSubstr("must have 0700")));
  make("real", 0700);
  fs::create_directory_symlink(m_room.path("real"), m_room.path("symbolic"));
  for (const char* slash : {"", "/"}) {
    use_only(m_room.path("symbolic").string() + slash);
    EXPECT_THAT(refused(), HasSubstr("/symbolic must be a directory and no symbolic link"));
  }
  ::close(::open(m_room.path("file").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  use_only(m_room.path("file"));
  EXPECT_THAT(refused(), HasSubstr("/file must be a directory"));
  use_only("relative");
  EXPECT_THAT(refused(), AllOf(HasSubstr("'relative'"), HasSubstr("must begin with '/'")));
  const fs::path session = make("session", 0700);
  use_session(session);
  make("session/mortise", 0755);
  EXPECT_THAT(refused(), HasSubstr("/session/mortise has mode 0755"));
  if (::geteuid() == 0) {
    const fs::path foreign = make("foreign", 0700);
    ASSERT_EQ(::chown(foreign.c_str(), 4711, 4711), 0);
    use_only(foreign);
    EXPECT_THAT(refused(), HasSubstr("/foreign belongs to user 4711, and must belong to user 0"));
  }
}

// The bug: a process that is out of descriptors for a moment goes on alone, with a region of its own in /tmp.
TEST_F(runtime_directory_of, a_session_is_not_left_for_lack_of_descriptors) {
  use_session(make("session", 0700));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  std::exception_ptr how;
  try {
    runtime_directory();
  } catch (...) {
    how = std::current_exception();
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);  // sanitizers need descriptors to look at it
  ASSERT_TRUE(how) << "found one";
  try {
    std::rethrow_exception(how);
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::too_many_files_open);
  }
}

}  // namespace
