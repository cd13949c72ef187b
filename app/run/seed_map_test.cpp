#include <gtest/gtest.h>
#include <app/run/seed_map.hpp>
#include <app/run/shared_state.hpp>

namespace {

constexpr auto nothing = [] {};

TEST(seed_map, sound_sections_are_found_sound) {
  app::seed_map m(5);
  EXPECT_EQ(m.read(0, 3, nothing), 0);
  m.write(1, 3, 42, nothing);
  m.write(2, 1, 7, nothing);
  EXPECT_EQ(m.read(0, 3, nothing), 42);
  EXPECT_EQ(m.state(), (std::map<std::uint64_t, std::uint64_t>{{1, 7}, {3, 42}}));
  EXPECT_EQ(m.overlaps(), 0u);
  EXPECT_EQ(m.mismatches(), 0u);
}

TEST(seed_map, two_in_the_section_are_an_overlap) {
  app::seed_map m(5);
  m.write(1, 3, 42, [&] { m.read(2, 1, nothing); });
  EXPECT_EQ(m.overlaps(), 2u);  // one came in on another, one was no longer itself
}

// The bugs: a reader that shares the lock does not see a writer that is inside, or that was in between.
TEST(seed_map, writer_among_readers_is_an_overlap) {
  app::seed_map m(5);
  m.write(1, 3, 42, nothing);
  EXPECT_EQ(m.read_shared(3), 42);
  EXPECT_EQ(m.overlaps(), 0u);
  m.write(1, 3, 43, [&] { m.read_shared(1); });
  EXPECT_EQ(m.overlaps(), 1u);
}

TEST(seed_map, torn_value_is_a_mismatch) {
  app::seed_map m(5);
  m.write(1, 3, 42, nothing);
  m.tear(3);
  EXPECT_GE(m.mismatches(), 1u);
  m.read(0, 3, nothing);
  EXPECT_GE(m.mismatches(), 2u);
}

// The bug: a value that agrees with itself, but is not what the writers wrote, passed.
TEST(seed_map, value_nobody_wrote_is_a_mismatch) {
  app::seed_map m(5);
  m.write(1, 3, 42, nothing);
  m.write(2, 3, 43, nothing);
  EXPECT_EQ(m.mismatches(), 0u);
  m.forge(3, 42);  // as if the second write had been undone
  EXPECT_EQ(m.mismatches(), 1u);
}

TEST(seed_map, lost_write_is_a_mismatch) {
  app::seed_map m(5);
  m.write(1, 3, 42, [&] { m.write(2, 4, 5, nothing); });  // both take the same number
  EXPECT_GE(m.mismatches(), 1u);
}

TEST(draw, same_seed_same_numbers_for_each_task) {
  std::uint64_t differing = 0;
  for (std::uint64_t party = 0; party < 100; ++party) {
    app::draw a(7, party), b(7, party), other(8, party);
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t x = a.below(100);
      EXPECT_EQ(x, b.below(100));
      EXPECT_LT(x, 100u);
      differing += x != other.below(100);
    }
  }
  EXPECT_GT(differing, 1500u);
}

}  // namespace
