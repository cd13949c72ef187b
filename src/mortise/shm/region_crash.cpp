// Makers that are killed at any point, that is before and after each system call: nothing else of what they do shows before it is finished.
// Each opens with the bug that it would show.
#include <support/maker_stage.hpp>

namespace {

using mortise::shm::region;
using mortise::test::at_each_call;

class maker_at_any_point : public mortise::test::maker_stage {};

// The bug: the name is lost for ever, shows half a region, or the next one finds what the killed one left.
TEST_F(maker_at_any_point, killed_leaves_no_half) {
  const bool traced = at_each_call(
      true, [&] { open(); }, [](pid_t) {},
      [&] {
        EXPECT_GT(open(), 0);
        EXPECT_EQ(open(), open());
        remove();
        open();
        EXPECT_THAT(m_room.entries(), testing::ElementsAre("r"))
            << "what was left is swept by the next maker";
        remove();
      });
  if (!traced) GTEST_SKIP() << "this process may not trace";
}

// The same where a region from before a start of the machine is made anew. The bug: a token is given again.
TEST_F(maker_at_any_point, killed_over_an_old_region_leaves_the_old_or_the_new) {
  std::uint64_t token = mortise::shm::realtime_ns() + 1'000'000'000'000'000;
  from_another_boot(token);
  const bool traced = at_each_call(
      true, [&] { open(); }, [](pid_t) {},
      [&] {
        EXPECT_GT(open(), 100) << "the old value";
        EXPECT_EQ((region{"r", number, make, &*m_made}.first_token()), token + 1);
        token += 1000;
        from_another_boot(token);
        EXPECT_THAT(m_room.entries(), testing::ElementsAre("r"))
            << "what was left is swept by the next maker";
      });
  if (!traced) GTEST_SKIP() << "this process may not trace";
}

}  // namespace
