// Who takes part in a region, and who is gone. Each opens with the bug that it would show.
#include <mortise/shm/participants.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <list>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <mortise/shm/error.hpp>
#include <mortise/shm/region.hpp>
#include <support/emulated.hpp>
#include <support/forked.hpp>
#include <support/runtime_place.hpp>

namespace {

using mortise::shm::content;
using mortise::shm::participant_id;
using mortise::shm::participants;
using mortise::shm::place;
using mortise::shm::region;
using mortise::test::await;
using mortise::test::child;
using mortise::test::shared_with_children;

constexpr content nothing{"nothing", 1, 1, 1};
constexpr auto leave_zero = [](void*, void*) {};

class participants_of : public testing::Test {
 protected:
  void SetUp() override {
    if (mortise::test::emulated()) GTEST_SKIP() << "the emulator knows no robust mutexes";
  }
  static std::unique_ptr<region> open(const place& where = "r") {
    return std::make_unique<region>(where, nothing, leave_zero, nullptr);
  }
  mortise::test::runtime_place m_room;
  shared_with_children<std::atomic<participant_id>> m_id;
  shared_with_children<std::atomic<int>> m_step;
};

// The bug: two handles of one process are taken for one, or one does not see the other's locks.
TEST_F(participants_of, one_process_by_two_handles_are_two) {
  const auto a = open(), b = open();
  const participant_id ia = a->members().me(), ib = b->members().me();
  EXPECT_NE(ia, ib);
  for (participants* p : {&a->members(), &b->members()}) {
    EXPECT_TRUE(p->alive(ia));
    EXPECT_TRUE(p->alive(ib));
    EXPECT_FALSE(p->alive(0));
    EXPECT_FALSE(p->alive(~participant_id{0})) << "an id that nobody was ever given";
    EXPECT_FALSE(p->alive(ia + (1u << 11))) << "a generation that has not come yet";
  }
}

// The bug: one who left is taken for alive, so that its death is waited for for ever; or, when its slot has another one, is alive again.
TEST_F(participants_of, a_slot_that_is_given_again_are_told_apart) {
  const auto looker = open();
  participants& look = looker->members();
  std::set<participant_id> seen{look.me()};
  for (int i = 0; i < 20; ++i) {
    participant_id id = 0;
    {
      const auto other = open();
      id = other->members().me();
      EXPECT_TRUE(seen.insert(id).second) << "an id of before";
      EXPECT_EQ(id & 0x7ff, 2u) << "the second slot";
      EXPECT_TRUE(look.alive(id));
    }
    EXPECT_FALSE(look.alive(id));
    look.wait_until_gone(id);  // does not hang
  }
}

// The bug: a killed process is taken for alive, or one that lives for dead.
TEST_F(participants_of, a_process_that_is_killed_are_gone_with_it) {
  const auto looker = open();
  participants& look = looker->members();
  for (int i = 0; i < 2; ++i) {
    *m_id = 0;
    child c{[this] {
      const auto mine = open();
      *m_id = mine->members().me();
      ::pause();
    }};
    await([this] { return *m_id != 0; });
    const participant_id id = *m_id;
    EXPECT_TRUE(look.alive(id));
    look.wait_until_gone(id, mortise::now_ns() + 1'000'000);
    EXPECT_TRUE(look.alive(id)) << "the deadline came first";
    c.stop();
    EXPECT_TRUE(look.alive(id)) << "stopped is not dead";
    ::kill(c.pid(), SIGKILL);
    look.wait_until_gone(id);
    EXPECT_FALSE(look.alive(id));  // though it was not waited for yet: a zombie
  }
}

// The bug: a process that became another program is waited for for ever.
TEST_F(participants_of, a_process_that_executes_another_program_are_gone) {
  const auto looker = open();
  child c{[this] {
    const auto mine = open();
    *m_id = mine->members().me();
    ::execlp("sleep", "sleep", "100", nullptr);
  }};
  await([this] { return *m_id != 0; });
  looker->members().wait_until_gone(*m_id);
  EXPECT_FALSE(looker->members().alive(*m_id));
}

// The bug: a child that lives on keeps the locks of its parent, whose death nobody notices any more. The control is a child that was made
// behind the back of the handlers of fork.
TEST_F(participants_of, a_parent_that_is_killed_are_gone_though_its_child_lives) {
  const auto looker = open();
  participants& look = looker->members();
  for (const bool handlers_run : {true, false}) {
    *m_id = 0;
    *m_step = 0;
    child parent{[&] {
      const auto mine = open();
      const participant_id id = mine->members().me();
      const pid_t grandchild = handlers_run ? ::fork() : static_cast<pid_t>(::syscall(SYS_fork));
      if (grandchild == 0) {
        ::alarm(120);
        if (handlers_run) EXPECT_EQ(mine->members().me_if_joined(), 0u);
        *m_step = 1;
        await([this] { return *m_step == 2; });
        ::_exit(0);
      }
      await([this] { return *m_step == 1; });
      *m_id = id;
      ::pause();
    }};
    await([this] { return *m_id != 0; });
    EXPECT_TRUE(look.alive(*m_id));
    ::kill(parent.pid(), SIGKILL);
    parent.ended();
    look.wait_until_gone(*m_id, handlers_run ? mortise::never : mortise::now_ns() + 50'000'000);
    EXPECT_EQ(look.alive(*m_id), !handlers_run);
    *m_step = 2;
  }
}

// The bug: a child speaks in its parent's name, joins twice, or takes part without ever using it.
TEST_F(participants_of, a_forked_child_is_one_of_its_own_from_its_first_use) {
  const auto mine = open();
  participants& members = mine->members();
  const participant_id parent = members.me();
  child c{[&] {
    EXPECT_EQ(members.me_if_joined(), 0u);
    EXPECT_TRUE(members.alive(parent));
    std::vector<participant_id> ids(4);
    {
      std::vector<std::jthread> threads;
      for (participant_id& id : ids) threads.emplace_back([&] { id = members.me(); });
    }
    for (const participant_id id : ids) EXPECT_EQ(id, members.me_if_joined());
    EXPECT_NE(ids[0], parent);
    *m_id = ids[0];
    await([this] { return *m_step == 1; });
  }};
  await([this] { return *m_id != 0; });
  EXPECT_EQ(members.me_if_joined(), parent);
  EXPECT_TRUE(members.alive(*m_id));
  *m_step = 1;
  EXPECT_TRUE(c.succeeded());
  EXPECT_FALSE(members.alive(*m_id));
}

// The bug: grandchildren, and children of children that never used it, are left out.
TEST_F(participants_of, a_child_of_a_child_is_one_of_its_own_too) {
  const auto mine = open(place::anonymous());
  participants& members = mine->members();
  const participant_id first = members.me();
  child c{[&] {
    child grandchild{[&] {
      EXPECT_NE(members.me(), first);
      EXPECT_TRUE(members.alive(first));
    }};
    EXPECT_TRUE(grandchild.succeeded());
    EXPECT_EQ(members.me_if_joined(), 0u);
  }};
  EXPECT_TRUE(c.succeeded());
}

// The bug: a child that cannot have descriptors of its own keeps its parent's locks, or uses the parent's place.
TEST_F(participants_of, a_child_without_descriptors_to_spare_is_told_and_keeps_nobody) {
  const auto looker = open();
  child parent{[&] {
    const auto mine = open();
    const participant_id id = mine->members().me();
    rlimit enough{};
    ::getrlimit(RLIMIT_NOFILE, &enough);
    const rlimit none{0, enough.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    if (::fork() == 0) {
      ::setrlimit(RLIMIT_NOFILE, &enough);
      ::alarm(120);
      try {
        mine->members().me();
        *m_step = -1;
      } catch (const std::system_error& e) {
        *m_step = e.code() == std::errc::too_many_files_open ? 1 : -2;
      }
      await([this] { return *m_step == 2; });
      ::_exit(0);
    }
    await([this] { return *m_step != 0; });
    *m_id = id;
    ::pause();
  }};
  await([this] { return *m_id != 0; });
  EXPECT_EQ(*m_step, 1);
  ::kill(parent.pid(), SIGKILL);
  parent.ended();
  looker->members().wait_until_gone(*m_id);
  EXPECT_FALSE(looker->members().alive(*m_id));
  *m_step = 2;
}

// The bug: one participant more than there are slots overwrites another's, or the first one who left leaves no room.
TEST_F(participants_of, more_than_1024_are_refused) {
  rlimit many{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &many), 0);
  many.rlim_cur = std::min<rlim_t>(many.rlim_max, 4096);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &many), 0);
  if (many.rlim_cur < 1200) GTEST_SKIP() << "no 1,200 descriptors for a process here";
  std::list<std::unique_ptr<region>> all;
  std::set<participant_id> ids;
  for (int i = 0; i < 1024; ++i) {
    all.push_back(open());
    ids.insert(all.back()->members().me());
  }
  EXPECT_EQ(ids.size(), 1024u);
  try {
    open();
    ADD_FAILURE() << "there are more";
  } catch (const mortise::shm::error& e) {
    EXPECT_STREQ(e.what(), "shared memory 'r' has 1024 participants, and cannot have more");
  }
  all.pop_front();
  EXPECT_FALSE(ids.contains(open()->members().me()));
}

}  // namespace
