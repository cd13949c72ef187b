// What is no region to be trusted is refused, in a line that says why. Each opens with the bug that it would show.
#include <mortise/shm/region.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <mortise/shm/error.hpp>
#include <support/emulated.hpp>
#include <support/runtime_place.hpp>

namespace {

namespace fs = std::filesystem;
using mortise::shm::content;
using mortise::shm::header;
using mortise::shm::place;
using mortise::shm::region;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr content counters{"counters", 17, 24, 8};

class squatter : public testing::Test {
 protected:
  void SetUp() override {
    if (mortise::test::emulated()) GTEST_SKIP() << "the emulator knows no robust mutexes";
  }
  fs::path file() const { return m_room.path("jobs"); }
  static void open(const content& what = counters, const place& where = "jobs") {
    region{where, what, [](void*, void*) {}, nullptr};
  }
  // The line by which it is refused; nothing, if it is not.
  static std::string refused(const content& what = counters, const place& where = "jobs") {
    try {
      open(what, where);
      return {};
    } catch (const mortise::shm::error& e) {
      EXPECT_THAT(e.what(), Not(HasSubstr("\n")));
      return e.what();
    }
  }
  // What is said when one byte or word of a good region's header is another.
  template <class T>
  std::string with(std::size_t at, const T& value) const {
    fs::remove(file());
    open();
    const int fd = ::open(file().c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(::pwrite(fd, &value, sizeof value, static_cast<off_t>(at)), static_cast<ssize_t>(sizeof value));
    ::close(fd);
    return refused();
  }
  // Refused, and left as it was.
  void stays(const std::function<void()>& made, const std::string& why) const {
    fs::remove_all(file());
    made();
    struct stat before{}, after{};
    ASSERT_EQ(::lstat(file().c_str(), &before), 0);
    EXPECT_THAT(refused(),
                AllOf(StartsWith("shared memory 'jobs' (" + file().string() + ")"), HasSubstr(why)));
    ASSERT_EQ(::lstat(file().c_str(), &after), 0);
    EXPECT_EQ(before.st_ino, after.st_ino);
    EXPECT_EQ(before.st_mode, after.st_mode);
  }

  mortise::test::runtime_place m_room;
};

// The bug: a file elsewhere is overwritten or read, because somebody put a symbolic link or a device under our name.
TEST_F(squatter, that_is_no_regular_file_is_refused) {
  const fs::path elsewhere = m_room.path("elsewhere");
  stays([&] { fs::create_symlink(elsewhere, file()); }, "must be a regular file, and is a symbolic link");
  EXPECT_FALSE(fs::exists(elsewhere));
  stays([&] { fs::create_directory(file()); }, "must be a regular file, and is none");
  stays([&] { ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0); }, "must be a regular file, and is none");
  stays(
      [&] {
        const int s = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        ASSERT_LT(file().string().size(), sizeof at.sun_path);
        std::strcpy(at.sun_path, file().c_str());
        ASSERT_EQ(::bind(s, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
        ::close(s);
      },
      "must be a regular file, and is none");
}

// The bug: others than this user can change what we compute with.
TEST_F(squatter, that_others_reach_is_refused) {
  for (const auto& [mode, shown] :
       {std::pair{0644, "0644"}, {0660, "0660"}, {0700, "0700"}, {04600, "4600"}}) {
    stays(
        [&, m = mode] {
          open();
          ASSERT_EQ(::chmod(file().c_str(), m), 0);
        },
        std::string{"has mode "} + shown + ", and must have 0600");
  }
  stays(
      [&] {
        open();
        fs::create_hard_link(file(), m_room.path("second"));
      },
      "has 2 names, and must have 1");
  fs::remove(m_room.path("second"));
  EXPECT_EQ(refused(), "");
  if (::geteuid() == 0) {
    stays(
        [&] {
          open();
          ASSERT_EQ(::chown(file().c_str(), 4711, 4711), 0);
        },
        "belongs to user 4711, and must belong to user 0");
  }
}

// The bug: memory beyond the end of the file is touched, which is a signal.
TEST_F(squatter, that_was_cut_or_extended_is_refused) {
  stays(
      [&] {
        open();
        fs::resize_file(file(), 0);
      },
      "has 0 bytes, too few for a region");
  stays(
      [&] {
        open();
        fs::resize_file(file(), 4095);
      },
      "has 4095 bytes, too few for a region");
  stays(
      [&] {
        open();
        fs::resize_file(file(), 4096);
      },
      "has 4096 bytes, and its header says 77824: it was cut or extended");
  stays(
      [&] {
        open();
        fs::resize_file(file(), 77823);
      },
      "has 77823 bytes");
  stays(
      [&] {
        open();
        fs::resize_file(file(), 77825);
      },
      "has 77825 bytes");
}

// The bug: a file of something else is taken for a region.
TEST_F(squatter, that_is_something_else_is_refused) {
  stays(
      [&] {
        std::ofstream{file()} << std::string(80'000, 'x');
        ASSERT_EQ(::chmod(file().c_str(), 0600), 0);
      },
      "is not a region of mortise");
  EXPECT_THAT(with(offsetof(header, layout), std::uint32_t{2}),
              AllOf(HasSubstr("has layout 2"), HasSubstr("this program knows layout 1 only")));
  EXPECT_THAT(with(offsetof(header, platform), std::uint32_t{7}), HasSubstr("they cannot share a lock"));
  for (const std::size_t at :
       {offsetof(header, type_size), offsetof(header, type_alignment), offsetof(header, total_size)}) {
    EXPECT_THAT(with(at, std::uint64_t{1} << 50), HasSubstr("contradicts itself"));
    EXPECT_THAT(with(at, ~std::uint64_t{0}), HasSubstr("contradicts itself"));
  }
  EXPECT_THAT(with(offsetof(header, type) + 127, 'x'), HasSubstr("contradicts itself"));
}

// The bug: two programs that mean different types share one memory; or the line does not say which.
TEST_F(squatter, of_another_type_is_refused_by_both_names) {
  open();
  EXPECT_EQ(refused({"gauges", 18, 24, 8}),
            "shared memory 'jobs' (" + file().string() +
                ") holds 'counters' (24 bytes, alignment 8), not 'gauges' (24 bytes, alignment 8)");
  EXPECT_THAT(refused({"counters", 17, 32, 8}), HasSubstr("not 'counters' (32 bytes, alignment 8)"));
  EXPECT_THAT(refused({"counters", 17, 24, 16}), HasSubstr("not 'counters' (24 bytes, alignment 16)"));
  fs::remove(file());
  open({std::string(300, 't'), 1, 1, 1});
  EXPECT_THAT(refused({"a\nb\x1b", 2, 1, 1}),
              HasSubstr("holds '" + std::string(127, 't') + "' (1 bytes, alignment 1), not 'a?b?'"));
}

// The bug: what a descriptor stands for is trusted more than what has a name.
TEST_F(squatter, behind_a_descriptor_is_refused) {
  const auto line = [](int fd) {
    std::string why = refused(counters, place::descriptor(fd));
    ::close(fd);
    return why;
  };
  EXPECT_THROW(open(counters, place::descriptor(9999)), std::system_error);
  EXPECT_THAT(line(::memfd_create("m", MFD_CLOEXEC)), HasSubstr("has mode 0777"));
  const int unsealed = ::memfd_create("m", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  ASSERT_EQ(::fchmod(unsealed, 0600), 0);
  ASSERT_EQ(::ftruncate(unsealed, 80'000), 0);
  EXPECT_THAT(line(unsealed),
              AllOf(HasSubstr("shared memory behind descriptor"), HasSubstr("F_SEAL_SHRINK")));
  const int zeros = ::memfd_create("m", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  ASSERT_EQ(::fchmod(zeros, 0600), 0);
  ASSERT_EQ(::ftruncate(zeros, 80'000), 0);
  ASSERT_EQ(::fcntl(zeros, F_ADD_SEALS, F_SEAL_SHRINK), 0);
  EXPECT_THAT(line(zeros), HasSubstr("is not ready"));
  EXPECT_THAT(line(::open("/dev/null", O_RDWR | O_CLOEXEC)), HasSubstr("must be a regular file"));
  open();
  EXPECT_THAT(line(::open(file().c_str(), O_RDONLY | O_CLOEXEC)), "") << "may be opened again for writing";
  const region r{"jobs", counters, nullptr, nullptr};
  EXPECT_THAT(refused({"gauges", 18, 24, 8}, place::descriptor(r.descriptor())),
              HasSubstr("holds 'counters'"));
}

// The bug: names reach out of the directory, or clash with what lies there on the way.
TEST_F(squatter, of_a_bad_name_is_refused) {
  for (const char* name : {"", ".", "..", ".new-1", "-x", "a/b", "/a", "a b", "a\n", "\xc3\xa4"}) {
    EXPECT_THROW(open(counters, place{name}), mortise::shm::error) << name;
  }
  EXPECT_NO_THROW(open(counters, place{std::string(64, 'n')}));
  EXPECT_THROW(open(counters, place{std::string(65, 'n')}), mortise::shm::error);
}

}  // namespace
