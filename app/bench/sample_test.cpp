// What a contender prints is believed only if it is whole and agrees with itself.
#include <app/bench/sample.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace app::bench {
namespace {

using testing::HasSubstr;

const cell lock{"uncontended", "ours", "thread", {}, {}};
const cell crowd{"contended", "ours", "thread", {}, {}};
const cell program{"seed", "mortise", "fiber", {}, {}};

std::string complaint(const cell& c, const std::string& printed) {
  try {
    read_sample(c, printed);
  } catch (const bad_sample& e) {
    return e.what();
  }
  return "none";
}

double value(const sample& s, const std::string& name) {
  for (const auto& [key, v] : s) {
    if (key == name) return v;
  }
  return -1;
}

std::string contended(const std::string& changed = "", const std::string& to = "") {
  std::string text =
      R"({"bench": "x", "ops": 500, "duration_ns": 1000000, "ops_per_s": 500000.0, "share": 0.5, "cpu_ns": 1500000,)"
      R"( "wait_p50_ns": 10, "wait_p99_ns": 20, "wait_p999_ns": 30, "wait_max_ns": 40,)"
      R"( "stall_p999_ns": 5, "stall_max_ns": 6})";
  if (!changed.empty()) text.replace(text.find(changed), changed.size(), to);
  return text + "\n";
}

TEST(sample, figures_are_the_numbers_of_the_line) {
  const sample s = read_sample(crowd, contended());
  EXPECT_EQ(value(s, "ops"), 500);
  EXPECT_EQ(value(s, "wait_p999_ns"), 30);
  EXPECT_EQ(value(s, "cpu_percent"), 150);
}

// The bug: a crash in the middle of a line, a banner, or two results count as a sample.
TEST(sample, what_is_not_one_object_in_one_line_is_refused) {
  for (const char* printed : {"", "\n", "rubbish", "{\"ns\": ", "{\"ns\": 1}\n{\"ns\": 2}\n", "[1]", "7",
                              "warming up\n{\"ns\": 1}\n"})
    EXPECT_THAT(complaint(lock, printed), HasSubstr("not one JSON object")) << printed;
}

// The bug: a peer that measures no waits has none, and its bar is met.
TEST(sample, a_figure_that_is_missing_is_named) {
  EXPECT_EQ(complaint(lock, R"({"bench": "x"})"), "its result has no ns");
  EXPECT_EQ(complaint(lock, R"({"ns": "5"})"), "its result has no ns");
  EXPECT_EQ(complaint(crowd, contended("\"wait_p999_ns\"", "\"p999\"")), "its result has no wait_p999_ns");
}

// The bug: throughput that was worked out from other counts than those that were validated.
TEST(sample, figures_that_contradict_each_other_are_refused) {
  EXPECT_THAT(complaint(crowd, contended("500000.0", "510000.0")), HasSubstr("ops_per_s is 510000, but"));
  EXPECT_EQ(complaint(crowd, contended("500000.0", "500001.0")), "none");
  EXPECT_THAT(complaint(crowd, contended("\"wait_p99_ns\": 20", "\"wait_p99_ns\": 31")),
              HasSubstr("wait_p999_ns"));
  EXPECT_THAT(complaint(crowd, contended("0.5,", "1.5,")), HasSubstr("share is 1.5"));
  EXPECT_THAT(complaint(crowd, contended("\"ops\": 500", "\"ops\": 0")), HasSubstr("ops is 0"));
  EXPECT_THAT(complaint(lock, R"({"ns": -1})"), HasSubstr("ns is -1"));
}

// The bug: a lock under which one party starves all others is left out of the table.
TEST(sample, others_than_the_hog_may_have_had_nothing) {
  const cell hog{"hog", "ours", "thread", {}, {}};
  const std::string nothing = contended("\"ops\": 500, \"duration_ns\": 1000000, \"ops_per_s\": 500000.0",
                                        "\"ops\": 0, \"duration_ns\": 1000000, \"ops_per_s\": 0");
  EXPECT_EQ(complaint(hog, nothing), "none");
  EXPECT_EQ(complaint(crowd, nothing), "ops is 0");
}

// The bug: a lock that lets two in is fast.
TEST(sample, a_run_that_was_not_sound_is_refused) {
  const std::string run =
      R"({"ops": 5, "duration_ns": 1000, "ops_per_s": 5000000, "cpu_ns": 1, "rss_peak_bytes": 1)";
  EXPECT_EQ(complaint(program, run + "}"), "none");
  EXPECT_EQ(complaint(program, run + R"(, "overlaps": 1})"), "overlaps: 1");
  EXPECT_EQ(complaint(program, run + R"(, "map_mismatches": 2})"), "map_mismatches: 2");
  EXPECT_EQ(complaint(program, run + R"(, "interrupted": true})"), "it was interrupted");
}

TEST(sample, percentiles_of_mortise_run_have_the_names_of_the_others) {
  const sample s =
      read_sample(program, R"({"ops": 5, "duration_ns": 1000, "ops_per_s": 5000000, "cpu_ns": 1,)"
                           R"( "rss_peak_bytes": 1, "lateness_ns": {"p50": 1, "p99": 2, "max": 3}})");
  EXPECT_EQ(value(s, "lateness_p99_ns"), 2);
}

TEST(sample, a_contender_may_say_why_it_cannot) {
  EXPECT_THROW(read_sample(lock, R"({"skipped": "one core only"})"), skipped_sample);
}

// The bug: a ratio of other figures than those that stand beside it.
TEST(sample, a_ratio_agrees_with_what_it_is_of) {
  const cell tried{"try_for", "ours", "thread", {}, {}};
  EXPECT_EQ(complaint(tried, R"({"ns": 12, "lock_ns": 10, "lock_ratio": 1.2})"), "none");
  EXPECT_THAT(complaint(tried, R"({"ns": 12, "lock_ns": 10, "lock_ratio": 1})"),
              HasSubstr("lock_ratio is 1"));
  const cell shared{"processes_update", "ours", "thread", {}, {}};
  EXPECT_EQ(complaint(shared, R"({"ns": 30, "robust_ns": 20, "robust_ratio": 1.5})"), "none");
  EXPECT_THAT(complaint(shared, R"({"ns": 30, "robust_ns": 20, "robust_ratio": 1.4})"),
              HasSubstr("robust_ratio is 1.4, but ns and robust_ns make it 1.5"));
}

// The bug: writers' waits are not there, and the bar on them is quietly unknown.
TEST(sample, where_somebody_writes_there_are_waits) {
  const cell mostly{"read_mostly", "ours", "thread", {}, {}};
  const auto printed = [](const std::string& writes, const std::string& more) {
    return R"({"ops": 500, "duration_ns": 1000000, "ops_per_s": 500000.0, "reads_per_s": 400000, "share": 0.5,)"
           R"( "cpu_ns": 1, "stall_p999_ns": 5, "stall_max_ns": 6, "writes_per_s": )" +
           writes + more + "}";
  };
  EXPECT_EQ(complaint(mostly, printed("0", "")), "none");
  EXPECT_EQ(complaint(mostly, printed("100000", R"(, "wait_p999_ns": 7)")), "none");
  EXPECT_THAT(complaint(mostly, printed("100000", "")), HasSubstr("nobody's wait was timed"));
}

}  // namespace
}  // namespace app::bench
