// What tools are told of regions, and their removal. Each opens with the bug that it would show.
#include <mortise/shm/listing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include <mortise/shm/error.hpp>
#include <mortise/shm/region.hpp>
#include <support/emulated.hpp>
#include <support/forked.hpp>
#include <support/runtime_place.hpp>

namespace {

namespace fs = std::filesystem;
using mortise::shm::content;
using mortise::shm::header;
using mortise::shm::inspect_region;
using mortise::shm::list_regions;
using mortise::shm::participant_id;
using mortise::shm::participant_info;
using mortise::shm::region;
using mortise::shm::region_info;
using mortise::shm::removal;
using mortise::shm::remove_region;
using mortise::shm::verdict;
using mortise::test::await;
using mortise::test::child;
using mortise::test::shared_with_children;
using testing::HasSubstr;

constexpr content counters{"counters", 17, 24, 8};

class listing : public testing::Test {
 protected:
  void SetUp() override {
    if (mortise::test::emulated()) GTEST_SKIP() << "the emulator knows no robust mutexes";
  }
  static std::unique_ptr<region> open(const std::string& name) {
    return std::make_unique<region>(name, counters, [](void*, void*) {}, nullptr);
  }
  static std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const region_info& r : list_regions()) all.push_back(r.name);
    return all;
  }
  void overwrite(const std::string& name, std::size_t at, std::string_view bytes) const {
    const int fd = ::open(m_room.path(name).c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(bytes.size()));
    ::close(fd);
  }

  mortise::test::runtime_place m_room;
  shared_with_children<std::atomic<participant_id>> m_id;
};

// The bug: a region is left out, or what is none is listed; looking makes or changes something.
TEST_F(listing, names_all_regions_in_order_and_changes_nothing) {
  EXPECT_THAT(list_regions(), testing::IsEmpty());
  const auto b = open("b"), a = open("a");
  open("c");
  std::ofstream{m_room.path(".new-1")} << "of a maker";
  std::ofstream{m_room.path("backup.lock")};                // mortise lock's, before its first token
  std::ofstream{m_room.path("deploy.lock")} << "8 bytes.";  // and with one
  EXPECT_THAT(names(), testing::ElementsAre("a", "b", "c"));
  EXPECT_THAT(m_room.entries(), testing::ElementsAre(".new-1", "a", "b", "backup.lock", "c", "deploy.lock"));
  EXPECT_FALSE(inspect_region("d"));
  EXPECT_THROW(inspect_region("../a"), mortise::shm::error);
}

// The bug: a person who looks is told of another type, size, age or token than the region has.
TEST_F(listing, tells_what_a_region_is) {
  const std::uint64_t before = mortise::shm::realtime_ns();
  const auto r = open("jobs");
  r->lock().token = r->first_token() + 42;
  const region_info found = inspect_region("jobs").value();
  EXPECT_EQ(found.refused, "");
  EXPECT_EQ(found.state, verdict::good);
  EXPECT_EQ(found.path, m_room.path("jobs"));
  EXPECT_EQ(found.type, "counters");
  EXPECT_EQ(found.size, 24u);
  EXPECT_EQ(found.alignment, 8u);
  EXPECT_EQ(found.total_size, fs::file_size(found.path));
  EXPECT_GE(found.created_ns, before);
  EXPECT_LE(found.created_ns, mortise::shm::realtime_ns());
  EXPECT_EQ(found.token - found.first_token, 42u);
  EXPECT_EQ(found.holder, 0u);
}

// The bug: somebody who takes part is not named, is called otherwise, or is told to be stopped when it is not.
TEST_F(listing, tells_who_takes_part) {
  const auto r = open("jobs");
  r->members().waits(2);
  child c{[&] {
    ::prctl(PR_SET_NAME, "a (b) c");
    r->members().waits(7);  // of nobody: it has not joined
    const participant_id id = r->members().me();
    r->members().waits(3);
    r->members().waits(-2);
    r->lock().holder = id;
    *m_id = id;
    ::pause();
  }};
  await([this] { return *m_id != 0; });
  region_info found = inspect_region("jobs").value();
  ASSERT_EQ(found.participants.size(), 2u);
  EXPECT_EQ(found.waiting, 3u);
  EXPECT_EQ(found.holder, *m_id);
  EXPECT_EQ(found.participants[0].id, r->members().me());
  EXPECT_EQ(found.participants[0].pid, static_cast<std::uint32_t>(::getpid()));
  EXPECT_EQ(found.participants[1].id, *m_id);
  EXPECT_EQ(found.participants[1].pid, static_cast<std::uint32_t>(c.pid()));
  EXPECT_EQ(found.participants[1].command, "a (b) c");
  EXPECT_EQ(found.participants[1].stopped, std::optional{false});
  EXPECT_FALSE(found.participants[1].other_namespace);
  c.stop();
  EXPECT_EQ(inspect_region("jobs").value().participants[1].stopped, std::optional{true});
  c.kill();
  found = inspect_region("jobs").value();
  EXPECT_EQ(found.participants.size(), 1u);
  EXPECT_EQ(found.waiting, 2u);
  EXPECT_EQ(found.holder, *m_id) << "its death is the next holder's matter";
}

// The bug: another process that was given the number of one who is gone is shown as that one, stopped or not.
TEST_F(listing, does_not_take_a_number_for_a_process) {
  const auto r = open("jobs");
  auto* const slots = reinterpret_cast<mortise::shm::participant_slot*>(
      static_cast<std::byte*>(r->payload()) - mortise::shm::payload_at + mortise::shm::participants_at);
  slots[0].start_time = 1;
  EXPECT_EQ(inspect_region("jobs").value().participants[0].stopped, std::nullopt);
  slots[0].pid_namespace = 1;
  EXPECT_TRUE(inspect_region("jobs").value().participants[0].other_namespace);
}

// The bug: one file that is no region hides the others; or a region that nobody may open is shown as a good one.
TEST_F(listing, tells_why_one_would_be_refused) {
  open("cut");
  fs::resize_file(m_room.path("cut"), 5000);
  open("good");
  open("lax");
  ASSERT_EQ(::chmod(m_room.path("lax").c_str(), 0640), 0);
  fs::create_symlink("good", m_room.path("link"));
  open("old");
  overwrite("old", offsetof(header, boot_id), "x");
  std::ofstream{m_room.path("zeros")} << std::string(80'000, '\0');
  ASSERT_EQ(::chmod(m_room.path("zeros").c_str(), 0600), 0);
  const auto all = list_regions();
  ASSERT_EQ(all.size(), 6u);
  EXPECT_THAT(all[0].refused, HasSubstr("cut or extended"));
  EXPECT_EQ(all[1].refused, "");
  EXPECT_THAT(all[2].refused, HasSubstr("mode 0640"));
  EXPECT_THAT(all[3].refused, HasSubstr("symbolic link"));
  EXPECT_EQ(all[4].state, verdict::other_boot);
  EXPECT_EQ(all[5].state, verdict::unfinished);
}

// The bug: a region is removed that somebody has open, who then is alone with it; a child that has not used it yet is somebody too.
TEST_F(listing, removes_only_what_nobody_has) {
  EXPECT_EQ(remove_region("jobs"), removal::absent);
  auto r = open("jobs");
  EXPECT_EQ(remove_region("jobs"), removal::in_use);
  child c{[] { ::pause(); }};
  r.reset();
  EXPECT_TRUE(inspect_region("jobs").value().open);
  EXPECT_THAT(inspect_region("jobs").value().participants, testing::IsEmpty());
  EXPECT_EQ(remove_region("jobs"), removal::in_use);
  c.kill();
  EXPECT_FALSE(inspect_region("jobs").value().open);
  EXPECT_EQ(remove_region("jobs"), removal::removed);
  EXPECT_THAT(m_room.entries(), testing::IsEmpty());
  EXPECT_EQ(remove_region("jobs"), removal::absent);
  EXPECT_EQ(mortise::test::descriptors_below(m_room.path()), 0u);
}

// The bug: what is broken can never be removed; or a file of something else is, or what a symbolic link leads to.
TEST_F(listing, removes_regions_that_are_refused_and_nothing_else) {
  open("cut");
  fs::resize_file(m_room.path("cut"), 5000);
  EXPECT_EQ(remove_region("cut"), removal::removed);
  open("lax");
  ASSERT_EQ(::chmod(m_room.path("lax").c_str(), 0644), 0);
  EXPECT_EQ(remove_region("lax"), removal::removed);
  std::ofstream{m_room.path("text")} << "somebody's";
  open("good");
  fs::create_symlink("good", m_room.path("link"));
  fs::create_directory(m_room.path("folder"));
  std::ofstream{m_room.path("held.lock")};
  for (const char* name : {"text", "link", "folder", "held.lock"}) {
    EXPECT_THROW(remove_region(name), mortise::shm::error) << name;
  }
  EXPECT_THROW(remove_region("../x"), mortise::shm::error);
  EXPECT_THAT(m_room.entries(), testing::ElementsAre("folder", "good", "held.lock", "link", "text"));
}

}  // namespace
