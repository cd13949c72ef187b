#include <app/bench/losses.hpp>
#include <app/bench/table.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace app::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

judged line(const std::string& contender, const std::string& kind, params given, figures all) {
  return {{{"contended", contender, kind, std::move(given), {}}, "P6a", 1, std::move(all)}, {}};
}

std::vector<std::string> losers_to(const result& r) {
  std::vector<std::string> names;
  for (const auto& row : losses(r).rows) names.push_back(row[0] + " " + row[2]);
  return names;
}

TEST(table, figures_are_written_in_the_unit_of_their_name) {
  EXPECT_EQ(readable("ns", 4.793), "4.79 ns");
  EXPECT_EQ(readable("wait_p999_ns", 1'007'615), "1.01 ms");
  EXPECT_EQ(readable("wait_p999_ns", 999'900), "1.00 ms");  // not 1000 us
  EXPECT_EQ(readable("ops_per_s", 16.44e6), "16.4 M/s");
  EXPECT_EQ(readable("ops_per_s", 109'312.4), "109,312 /s");
  EXPECT_EQ(readable("bytes_per_task", 200.4), "200 B");
  EXPECT_EQ(readable("rss_peak_bytes", 2e9), "2.00 GB");
  EXPECT_EQ(readable("cpu_percent", 8.123), "8.12 %");
  EXPECT_EQ(readable("share", 0.046), "0.05");
}

// The bug: a peer that is faster is looked for in other work, or not at all.
TEST(table, a_loss_is_shown_against_the_best_of_ours_at_the_same_work) {
  result r;
  r.lines = {line("mortise", "fiber", {{"parties", 8}}, {{"ops_per_s", {100}}}),
             line("mortise", "coroutine", {{"parties", 8}}, {{"ops_per_s", {200}}}),
             line("go", "goroutine", {{"parties", 8}}, {{"ops_per_s", {150}}}),
             line("tokio", "task", {{"parties", 8}}, {{"ops_per_s", {300}}}),
             line("std", "thread", {{"parties", 100}}, {{"ops_per_s", {900}}})};
  EXPECT_THAT(losers_to(r), ElementsAre("contended/tokio/kind:task/parties:8 1.50x"));
}

// The bug: a crowd of threads in several processes is faster than fibers, which have workers, and nobody is told.
TEST(table, threads_of_several_processes_are_beside_fibers_on_any_workers) {
  const auto crowd = [](const char* contender, params given, double ops) {
    return judged{
        {{"processes_contended", contender, "any", std::move(given), {}}, "", 1, {{"ops_per_s", {ops}}}}, {}};
  };
  result r;
  r.lines = {crowd("mortise", {{"parties", 1'000}, {"workers", 2}}, 100),
             crowd("pthread_robust", {{"parties", 1'000}}, 200),
             crowd("pthread_robust", {{"parties", 1}}, 300)};
  EXPECT_THAT(losers_to(r), ElementsAre("processes_contended/pthread_robust/kind:any/parties:1000 2.00x"));
}

// The bug: where less is better the slower one is shown as the loss.
TEST(table, less_time_is_faster) {
  result r;
  r.lines = {{{{"uncontended", "mortise", "thread", {}, {}}, "P5", 1, {{"ns", {6}}}}, {}},
             {{{"uncontended", "std", "thread", {}, {}}, "P5", 1, {{"ns", {12}}}}, {}},
             {{{"uncontended", "go", "goroutine", {}, {}}, "P5", 1, {{"ns", {4}}}}, {}}};
  EXPECT_THAT(losers_to(r), ElementsAre("uncontended/go/kind:goroutine 1.50x"));
}

// The bug: a loss is printed in weaker words than a win.
TEST(table, verdicts_say_met_not_met_or_why_unknown) {
  result r;
  r.machine = {{"cores", 2}};
  judged ours = line("mortise", "thread", {}, {{"ops_per_s", {1}}});
  bar b{"P6a", "ops_per_s", sense::at_least, 2, 4};
  ours.verdicts = {
      {b, {}, 1, false, {}}, {b, {}, 2, true, {}}, {b, {}, 4, true, {}}, {b, {}, {}, {}, "no std"}};
  r.lines = {ours};
  const std::string text = table(r, {});
  EXPECT_THAT(text, HasSubstr("  NOT MET\n"));
  EXPECT_THAT(text, HasSubstr("  met\n"));
  EXPECT_THAT(text, HasSubstr("  met, moonshot\n"));
  EXPECT_THAT(text, HasSubstr("  unknown: no std\n"));
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  EXPECT_THAT(table(r, {false, true}), HasSubstr("\033[31mNOT MET\033[0m"));
  EXPECT_THAT(table(r, {true, false}), HasSubstr("**NOT MET**"));
}

// The bug: P11 stands before P2.
TEST(table, bars_stand_in_the_order_of_the_issue) {
  result r;
  r.machine = {{"cores", 2}};
  for (const char* id : {"S1", "F2", "F1", "P11", "P6b", "P2", "P6a"}) {
    judged ours = line("mortise", "thread", {}, {{"ops_per_s", {1}}});
    ours.verdicts = {{{id, "ops_per_s", sense::at_least, 2}, {}, 1, false, {}}};
    r.lines.push_back(ours);
  }
  const std::string text = table(r, {});
  EXPECT_LT(text.find("P2 "), text.find("P6a "));
  EXPECT_LT(text.find("P6a "), text.find("P6b "));
  EXPECT_LT(text.find("P6b "), text.find("P11 "));
  EXPECT_LT(text.find("P11 "), text.find("F1 "));
  EXPECT_LT(text.find("F2 "), text.find("S1 "));
}

// The bug: what crashed is left out of the table, and looks as if nobody had tried.
TEST(table, who_took_no_part_says_why) {
  result r;
  r.machine = {{"cores", 2}};
  judged crashed = line("absl", "thread", {}, {}), absent = line("go", "goroutine", {}, {});
  crashed.what.failed = "signal 11: no word";
  absent.what.skipped = "contender-go is not built";
  r.lines = {crashed, absent};
  const std::string text = table(r, {});
  EXPECT_THAT(text, HasSubstr("contended/absl/kind:thread: FAILED: signal 11: no word\n"));
  EXPECT_THAT(text, HasSubstr("go: skipped: contender-go is not built\n"));
  r.lines.push_back(line("absl", "thread", {{"parties", 2}}, {}));
  r.lines.back().what.failed = "signal 11: no word";
  EXPECT_THAT(table(r, {}), HasSubstr("absl (2 cells): FAILED: signal 11: no word\n"));
}

}  // namespace
}  // namespace app::bench
