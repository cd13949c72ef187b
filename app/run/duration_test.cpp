#include <gtest/gtest.h>
#include <app/run/duration.hpp>

#include <limits>

namespace {

TEST(duration, reads_what_people_write) {
  EXPECT_EQ(app::parse_duration("1ms"), 1'000'000);
  EXPECT_EQ(app::parse_duration("250us"), 250'000);
  EXPECT_EQ(app::parse_duration("1.5s"), 1'500'000'000);
  EXPECT_EQ(app::parse_duration("100ns"), 100);
  EXPECT_EQ(app::parse_duration("2m"), 120'000'000'000);
  EXPECT_EQ(app::parse_duration("1h"), 3'600'000'000'000);
  EXPECT_EQ(app::parse_duration("0"), 0);
}

TEST(duration, refuses_what_is_none) {
  for (const char* bad : {"", "1", "ms", "-1ms", "1 ms", "1msx", "1..5s", ".s", "1e3s", "nan",
                          "9999999999999h", "1d", "0x1s"}) {
    EXPECT_EQ(app::parse_duration(bad), std::nullopt) << bad;
  }
}

TEST(duration, is_written_so_that_it_reads_back) {
  for (const std::int64_t ns :
       {0L, 1L, 999L, 1'500L, 250'000L, 1'000'000L, 1'500'000'000L, 3'600'000'000'000L}) {
    EXPECT_EQ(app::parse_duration(app::format_duration(ns)), ns) << app::format_duration(ns);
  }
}

// The bug: six digits were written, so that the command of a comparison had another sleep than the run.
TEST(duration, is_written_in_full) {
  for (const std::int64_t ns : {1'234'567'891L, 3'600'000'000'001L, 100'000'000'000L, 9'007'199'254'740'993L,
                                std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(app::parse_duration(app::format_duration(ns)), ns) << app::format_duration(ns);
  }
  EXPECT_EQ(app::format_duration(1'234'567'891), "1.234567891s");
  EXPECT_EQ(app::format_duration(100'000'000'000), "100s");  // not 1.66667m
  EXPECT_EQ(app::format_duration(90'000'000'000), "1.5m");
  EXPECT_EQ(app::format_duration(86'400'000'000'000), "24h");
}

// The bug: a double has 53 bits.
TEST(duration, is_read_to_the_nanosecond) {
  EXPECT_EQ(app::parse_duration("9007199254740993ns"), 9'007'199'254'740'993);
  EXPECT_EQ(app::parse_duration("9223372036.854775807s"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(app::parse_duration("9223372036854775808ns"), std::nullopt);
  EXPECT_EQ(app::parse_duration("0.6ns"), 1);
  EXPECT_EQ(app::parse_duration("0.4ns"), 0);
}

}  // namespace
