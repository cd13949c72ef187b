#include <gtest/gtest.h>
#include <app/run/shared_value.hpp>

#include <cstring>

namespace {

using app::run_state;

TEST(shared_value, is_whole_as_somebody_sealed_it) {
  run_state s = run_state::empty();
  EXPECT_TRUE(s.whole());
  s.map[3] = 7;
  s.seal();
  EXPECT_TRUE(s.whole());
}

// The bug: a value of which a part is older passes for whole.
TEST(shared_value, whatever_part_is_changed_it_is_seen) {
  run_state s = run_state::empty();
  for (int key = 0; key < 5; ++key) s.map[key] = key * 10;
  s.writes = 5;
  s.token = 1'000;
  s.seal();
  run_state other = s;
  other.map[4] = 41;
  EXPECT_FALSE(other.whole());
  other = s;
  other.map[5] = 0;
  EXPECT_FALSE(other.whole());
  other = s;
  other.map.clear();
  EXPECT_FALSE(other.whole());
  other = s;
  std::swap(other.map[1], other.map[2]);
  EXPECT_FALSE(other.whole());
  other = s;
  other.writes = 4;
  EXPECT_FALSE(other.whole());
  other = s;
  other.token = 999;
  EXPECT_FALSE(other.whole());
  other = s;
  other.checksum ^= 1;
  EXPECT_FALSE(other.whole());
}

// What the control is worth: all that is written is there in the end, and not whole before.
TEST(shared_value, without_a_lock_it_works_for_one_and_tears_for_two) {
  app::unguarded<run_state> value{run_state::empty()};
  const auto write = [&](int key, int to) {
    value.update([&](run_state& s, const mortise::shm::tenure&) {
      s.map[key] = to;
      ++s.writes;
      s.seal();
    });
  };
  for (int i = 0; i < 20; ++i) write(i % 5, i);
  EXPECT_TRUE(value.read([](const run_state& s) { return s.whole(); }));
  EXPECT_EQ(value.read([](const run_state& s) { return s.map.at(4); }), 19);
  // Two at once: the second begins with what it finds while the first is inside.
  value.update([&](run_state& s, const mortise::shm::tenure&) {
    write(1, 100);
    s.map[2] = 200;
    ++s.writes;
    s.seal();
  });
  EXPECT_NE(value.read([](const run_state& s) { return s.map.at(1); }), 100);  // lost
  EXPECT_EQ(value.read([](const run_state& s) { return s.writes; }), 21u);
}

}  // namespace
