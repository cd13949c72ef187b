#include <mortise/cluster/record.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

#include <mortise/cluster/names.hpp>

namespace {

using namespace mortise::cluster;

TEST(record, is_what_was_written) {
  record r;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    r = r.with({1000 + i, i % 3}, "value\n" + std::to_string(i));
    const auto again = record::parse(r.text());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->count, i);
    EXPECT_EQ(again->bytes, "value\n" + std::to_string(i));
    EXPECT_EQ(again->last, r.last);
    EXPECT_LE(again->last.size(), record::most_ids);
  }
  EXPECT_EQ(record{}.with({7, 1}, "{}").text(), "mortise 1 1 7.1\n{}");
}

// The bug: a foreign value is taken for ours, and overwritten.
TEST(record, what_is_not_ours_is_not_parsed) {
  for (const char* text :
       {"", "{}", "mortise", "mortise 1 ", "mortise 1 x\n", "mortise 1 1\n", "mortise 1 1 7\n",
        "mortise 1 1 7.\n", "mortise 1 1 7.1", "mortise 1 2 7.1\n{}", "mortise 1 1 7.1 8.1\n",
        "mortise 2 1 7.1\n{}", "mortise 1 99999999999999999999 7.1\n", "mortise 1 -1 7.1\n",
        "mortise 1 1 7.1x\n"}) {
    EXPECT_FALSE(record::parse(text)) << text;
  }
  EXPECT_TRUE(record::parse("mortise 1 0\n"));
}

// The bug: a commit that has left the list is taken for one that was never made.
TEST(record, tells_what_it_cannot_tell) {
  record r;
  for (std::uint64_t i = 1; i <= 70; ++i) r = r.with({i, 1}, "");
  EXPECT_EQ(r.contains({70, 1}, 70), record::answer::yes);
  EXPECT_EQ(r.contains({7, 1}, 7), record::answer::yes);
  EXPECT_EQ(r.contains({6, 1}, 6), record::answer::cannot_tell);  // it was, and cannot be seen any more
  EXPECT_EQ(r.contains({999, 1}, 7), record::answer::no);         // another one is in that place
  EXPECT_EQ(r.contains({999, 1}, 70), record::answer::no);
  EXPECT_EQ(r.contains({999, 1}, 71), record::answer::cannot_tell);  // somebody has begun anew
}

// The bug: a lock's name reaches into another's keys.
TEST(lock_names, keep_apart_what_is_not_the_same) {
  for (const char* bad : {"", "/", "/a", "a/", "a//b", "a\nb", "a//q"})
    EXPECT_THROW(lock_names{bad}, std::invalid_argument) << bad;
  EXPECT_THROW(lock_names{std::string(201, 'a')}, std::invalid_argument);
  const lock_names a{"a"}, b{"a/q"};
  EXPECT_FALSE(b.value().starts_with(a.queue()));
  EXPECT_FALSE(b.queue().starts_with(a.queue()));
  EXPECT_TRUE(a.in_queue(0x1f, 3).starts_with(a.queue()));
  EXPECT_EQ(a.in_queue(0x1f, 3), "a//q/1f.3");
  EXPECT_NE(a.in_queue(1, 23), a.in_queue(12, 3));
}

}  // namespace
