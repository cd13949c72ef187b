// Makers that are stopped at any point, that is before and after each system call, while another process does the same, or removes the name.
// Each opens with the bug that it would show.
#include <mortise/shm/listing.hpp>
#include <support/maker_stage.hpp>

namespace {

using mortise::shm::region;
using mortise::test::at_each_call;

class maker_at_any_point : public mortise::test::maker_stage {};

// The bug: a maker that is stopped holds others up, or has another region when it goes on.
TEST_F(maker_at_any_point, stopped_holds_nobody_up_and_has_the_same_region) {
  std::optional<int> ours;
  const bool traced = at_each_call(
      false, [&] { *m_childs = open(); },
      [&](pid_t) {
        ours = try_open();
        EXPECT_TRUE(ours.has_value());
      },
      [&] {
        if (ours) EXPECT_EQ(*m_childs, *ours);
        ours.reset();
        remove();
      });
  if (!traced) GTEST_SKIP() << "this process may not trace";
}

// The bug: two processes each make anew what was from before a start, one over the other.
TEST_F(maker_at_any_point, stopped_over_an_old_region_has_the_same_region) {
  std::optional<int> ours;
  int waited = 0;
  from_another_boot();
  const bool traced = at_each_call(
      false, [&] { *m_childs = open(); },
      [&](pid_t) {
        ours = try_open();
        waited += !ours.has_value();
      },
      [&] {
        if (ours) EXPECT_EQ(*m_childs, *ours);
        ours.reset();
        EXPECT_EQ(open(), *m_childs);
        from_another_boot();
      });
  if (!traced) GTEST_SKIP() << "this process may not trace";
  EXPECT_GT(waited, 0) << "while one makes it anew the others wait";
}

// The bug: whoever opens a region that is removed meanwhile has one that has no name any more.
TEST_F(maker_at_any_point, stopped_while_the_name_is_removed_has_the_region_of_that_name) {
  int kept = 0, removed = 0;
  const bool traced = at_each_call(
      false,
      [&] {
        const region r{"r", number, make, &*m_made};
        struct stat opened{}, named{};
        EXPECT_EQ(::fstat(r.descriptor(), &opened), 0);
        EXPECT_EQ(::stat(m_room.path("r").c_str(), &named), 0);
        EXPECT_EQ(opened.st_ino, named.st_ino);
        ::_exit(HasFailure() ? 1 : 0);  // what it does to leave is another matter
      },
      [&](pid_t) { ++(mortise::shm::remove_region("r") == mortise::shm::removal::removed ? removed : kept); },
      [&] { open(); });
  if (!traced) GTEST_SKIP() << "this process may not trace";
  EXPECT_GT(kept, 0);
  EXPECT_GT(removed, 0);
}

}  // namespace
