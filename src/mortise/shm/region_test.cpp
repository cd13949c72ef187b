// Memory that processes share. Each opens with the bug that it would show. (Squatters: region_refusals_test.cpp; kills: region_crash.cpp.)
#include <mortise/shm/region.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <exception>
#include <fstream>
#include <list>
#include <memory>
#include <stdexcept>
#include <thread>

#include <mortise/shm/error.hpp>
#include <support/emulated.hpp>
#include <support/forked.hpp>
#include <support/runtime_place.hpp>

namespace {

using mortise::shm::content;
using mortise::shm::header;
using mortise::shm::place;
using mortise::shm::region;
using mortise::test::await;
using mortise::test::child;
using mortise::test::shared_with_children;

constexpr content number{"number", 11, 8, 8};

class region_of : public testing::Test {
 protected:
  void SetUp() override {
    if (mortise::test::emulated()) GTEST_SKIP() << "the emulator knows no robust mutexes";
  }
  // Whose payload says how many were made before.
  std::unique_ptr<region> open(const place& where = "r", const content& what = number) {
    const auto make = [](void* payload, void* made) {
      *static_cast<int*>(payload) = 1 + static_cast<std::atomic<int>*>(made)->fetch_add(1);
    };
    return std::make_unique<region>(where, what, make, &*m_made);
  }
  static int value(const region& r) { return *static_cast<const int*>(r.payload()); }
  ino_t inode(const std::string& name = "r") const {
    struct stat s{};
    return ::stat(m_room.path(name).c_str(), &s) == 0 ? s.st_ino : 0;
  }
  template <class T>
  void overwrite(std::size_t at, const T& value) const {
    const int fd = ::open(m_room.path("r").c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(::pwrite(fd, &value, sizeof value, static_cast<off_t>(at)), static_cast<ssize_t>(sizeof value));
    ::close(fd);
  }
  void from_another_boot() const {
    overwrite(offsetof(header, boot_id), "2f1ab0c7-0000-4000-8000-000000000000");
  }

  mortise::test::runtime_place m_room;
  shared_with_children<std::atomic<int>> m_made, m_step;
};

// The bug: two handles have two regions, or the second one's maker overwrites what is there.
TEST_F(region_of, one_name_is_one) {
  const auto a = open(), b = open();
  EXPECT_EQ(*m_made, 1);
  EXPECT_EQ(value(*b), 1);
  *static_cast<int*>(a->payload()) = 5;
  EXPECT_EQ(value(*b), 5);
  EXPECT_EQ(a->first_token(), b->first_token());
  EXPECT_EQ(a->lock().token.load(), a->first_token());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a->payload()) % 4096, 0u);
  EXPECT_EQ(value(*open("other")), 2);
  EXPECT_EQ(a->name(), "r");
  EXPECT_THAT(m_room.entries(), testing::ElementsAre("other", "r"));
}

// The bug: the value is gone with the last process that had it.
TEST_F(region_of, a_name_outlives_its_processes) {
  child c{[&] { *static_cast<int*>(open()->payload()) = 7; }};
  ASSERT_TRUE(c.succeeded());
  EXPECT_EQ(value(*open()), 7);
}

// The bug: the region is shorter than its payload, or begins with what was there before.
TEST_F(region_of, any_size_is_all_there_and_zero) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{4097}, std::size_t{3'000'000}}) {
    const content what{"bytes", size, size, 1};
    for (const place& where : {place{"s" + std::to_string(size)}, place::anonymous()}) {
      const region r{where, what, [](void*, void*) {}, nullptr};
      const auto* const bytes = static_cast<const unsigned char*>(r.payload());
      EXPECT_TRUE(std::all_of(bytes, bytes + size, [](unsigned char c) { return c == 0; }));
    }
  }
  EXPECT_THROW(open("huge", {"huge", 1, std::size_t{1} << 60, 8}), mortise::shm::error);
  EXPECT_THROW(open("odd", {"odd", 1, 8, 3}), mortise::shm::error);
  EXPECT_THROW(open("coarse", {"coarse", 1, 8, 8192}), mortise::shm::error);
}

// The bug: several makers at once make several regions, or one opens what another has not finished. Every second round the file is there
// already, from before the machine was started anew.
TEST_F(region_of, makers_at_once_is_one) {
  constexpr int rounds = 40, processes = 6;
  shared_with_children<std::atomic<int>> values[rounds];
  shared_with_children<std::atomic<int>> ready, done;
  const auto in_round = [&](int round) {
    ++*ready;
    await([&] { return *m_step > round; });
    const auto r = open();
    int none = 0;
    const int mine = value(*r);
    if (mine <= 0 || (!values[round]->compare_exchange_strong(none, mine) && none != mine))
      *values[round] = -1;
    ++*done;
    await([&] { return *done == (round + 1) * processes; });
  };
  std::list<child> all;
  for (int i = 0; i < processes; ++i) {
    all.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) in_round(round);
    });
  }
  for (int round = 0; round < rounds; ++round) {
    await([&] { return *ready == (round + 1) * processes; });
    if (round % 2 == 1) {
      open();
      from_another_boot();
    }
    *m_step = round + 1;
    await([&] { return *done == (round + 1) * processes; });
    EXPECT_GT(*values[round], 0) << "two regions in round " << round;
    EXPECT_THAT(m_room.entries(), testing::ElementsAre("r"));
    std::filesystem::remove(m_room.path("r"));
  }
  for (child& c : all) EXPECT_TRUE(c.succeeded());
}

// The bug: half a region stays behind, and is found by the next one.
TEST_F(region_of, a_maker_that_throws_is_none) {
  const auto fails = [](void*, void*) { throw std::runtime_error{"no"}; };
  EXPECT_THROW((region{"r", number, fails, nullptr}), std::runtime_error);
  EXPECT_THROW((region{place::anonymous(), number, fails, nullptr}), std::runtime_error);
  EXPECT_THAT(m_room.entries(), testing::IsEmpty());
  EXPECT_EQ(mortise::test::descriptors_below(m_room.path()), 0u);
  EXPECT_EQ(value(*open()), 1);
}

// The bug: tokens go back, so that a late writer of before is let in: after a removal, or a start of the machine; though its clock is behind.
TEST_F(region_of, made_anew_is_above_all_tokens_of_before) {
  std::uint64_t before = open()->first_token();
  std::filesystem::remove(m_room.path("r"));
  EXPECT_GT(open()->first_token(), before);
  const std::uint64_t future = mortise::shm::realtime_ns() + 1'000'000'000'000'000;
  open()->lock().token = future;
  from_another_boot();
  const auto r = open();
  EXPECT_EQ(r->first_token(), future + 1);
  EXPECT_EQ(value(*r), 3) << "what was there came from before the start";
  EXPECT_EQ(r->lock().token.load(), future + 1);
}

// The bug: one process has the name re-made that another has open: then two hold "the" lock.
TEST_F(region_of, a_name_that_is_open_is_not_made_anew) {
  const auto r = open();
  const ino_t before = inode();
  from_another_boot();  // as if; nothing can be open from before a start
  EXPECT_THROW(open(), mortise::shm::error);
  EXPECT_EQ(inode(), before);
  EXPECT_EQ(*m_made, 1);
}

// The bug: a file of zeros, as a file system may leave it when the machine loses its power, is refused for ever.
TEST_F(region_of, a_file_of_zeros_is_made_anew) {
  std::ofstream{m_room.path("r")} << std::string(80'000, '\0');
  ASSERT_EQ(::chmod(m_room.path("r").c_str(), 0600), 0);
  EXPECT_EQ(value(*open()), 1);
  EXPECT_THAT(m_room.entries(), testing::ElementsAre("r"));
}

// The bug: a child has a copy of the memory, or none.
TEST_F(region_of, a_forked_child_is_the_same) {
  for (const place& where : {place{"r"}, place::anonymous()}) {
    const auto r = open(where);
    child c{[&] { *static_cast<int*>(r->payload()) = 99; }};
    EXPECT_TRUE(c.succeeded());
    EXPECT_EQ(value(*r), 99);
  }
}

// The bug: a descriptor that is passed on opens something else, or whoever has it keeps the one alive that passed it on.
TEST_F(region_of, a_descriptor_is_the_same_and_keeps_nobody_alive) {
  for (const place& where : {place{"r"}, place::anonymous()}) {
    auto r = open(where);
    *static_cast<int*>(r->payload()) = 55;
    const int passed = ::dup(r->descriptor());
    const region again{place::descriptor(passed), number, nullptr, nullptr};
    EXPECT_EQ(value(again), 55);
    const auto id = r->members().me();
    const auto looker = open(place::descriptor(passed));
    EXPECT_TRUE(looker->members().alive(id));
    r.reset();
    EXPECT_FALSE(looker->members().alive(id));
    EXPECT_EQ(::fcntl(passed, F_GETFD), 0) << "it is the caller's";
    ::close(passed);
  }
}

// The bug: a process that has few descriptors left leaks them when it cannot open, or leaves something behind, or is told something else.
TEST_F(region_of, too_few_descriptors_is_an_error_and_leaves_nothing) {
  child c{[&] {
    const int next = ::dup(0);
    ::close(next);
    for (const place& where : {place{"r"}, place{"r"}, place::anonymous()}) {
      for (rlim_t limit = next;; ++limit) {
        const rlimit few{limit, 1024};
        ::setrlimit(RLIMIT_NOFILE, &few);
        std::exception_ptr how;
        try {
          open(where);
        } catch (...) {
          how = std::current_exception();
        }
        const rlimit enough{1024, 1024};
        ::setrlimit(RLIMIT_NOFILE, &enough);  // sanitizers need descriptors to look at it
        if (!how) {
          EXPECT_GT(limit, static_cast<rlim_t>(next));
          break;
        }
        try {
          std::rethrow_exception(how);
        } catch (const std::system_error& e) {
          EXPECT_EQ(e.code(), std::errc::too_many_files_open) << e.what();
        }
        const int now = ::dup(0);
        ::close(now);
        EXPECT_EQ(now, next) << "a leak";
        if (where.name().empty()) EXPECT_THAT(m_room.entries(), testing::ElementsAre("r"));
      }
    }
    EXPECT_THAT(m_room.entries(), testing::ElementsAre("r"));
  }};
  EXPECT_TRUE(c.succeeded());
}

// The bug: a full disk kills the process that uses the region, by SIGBUS, instead of telling the one that makes it.
TEST_F(region_of, no_room_is_an_error_at_once) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can mount a small file system";
  child c{[&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", m_room.path().c_str(), "tmpfs", 0, "size=256k,mode=0700") != 0) {
      ::_exit(77);
    }
    EXPECT_EQ(value(*open("small")), 1);
    try {
      open("large", {"large", 2, 1 << 20, 8});
      ADD_FAILURE() << "there is room";
    } catch (const std::system_error& e) {
      EXPECT_EQ(e.code(), std::errc::no_space_on_device) << e.what();
    }
    EXPECT_THAT(m_room.entries(), testing::ElementsAre("small"));
    EXPECT_NO_THROW(open("small-2", {"n", 1, 8, 8})) << "the room was given back";
  }};
  const int status = c.ended();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "this root may not mount";
  EXPECT_EQ(status, 0);
}

// The bug: a child that is forked while another thread opens a region has descriptors of it that nobody there knows: it keeps the name, and its
// parent alive.
TEST_F(region_of, what_is_being_opened_during_a_fork_is_left_to_the_parent) {
  std::atomic<bool> enough{false};
  std::jthread opener{[&] {
    while (!enough) {
      open();
      std::filesystem::remove(m_room.path("r"));
    }
  }};
  for (int i = 0; i < 300; ++i) {
    child c{[&] {
      const std::size_t known = mortise::shm::live->first != nullptr ? 1 : 0;  // there is one at a time
      return mortise::test::descriptors_below(m_room.path()) == known;
    }};
    EXPECT_TRUE(c.succeeded());
  }
  enough = true;
}

}  // namespace
