#include <gtest/gtest.h>
#include <app/run/duration.hpp>

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

}  // namespace
