// A run among processes, for what the command shows of it in a page only.
#include <gtest/gtest.h>
#include <app/run/report.hpp>
#include <app/run/workload.hpp>
#include <nlohmann/json.hpp>
#include <numeric>

namespace {

app::run_options options(const std::vector<std::string>& more) {
  std::vector<std::string> all{"--scope",   "processes", "--readers", "12",
                               "--writers", "4",         "--report",  "none.html"};
  all.insert(all.end(), more.begin(), more.end());
  return app::parse_run(all);
}

// The bug: what the processes count for the charts stays in their own memory.
TEST(processes, a_report_has_what_all_processes_did) {
  for (const std::vector<std::string>& kind :
       std::vector<std::vector<std::string>>{{"--for", "300ms"},
                                             {"--for", "300ms", "--processes", "3"},
                                             {"--for", "300ms", "--tasks", "coroutine"}}) {
    const app::run_options o = options(kind);
    const app::run_result r = app::run(o);
    EXPECT_TRUE(r.sound());
    ASSERT_TRUE(r.detail);
    EXPECT_GE(r.detail->throughput.size(), 2u);
    EXPECT_EQ(r.detail->throughput.back().ops, r.ops());
    EXPECT_FALSE(r.detail->wait.empty());
    EXPECT_FALSE(r.detail->lateness.empty());
    EXPECT_GT(r.detail->turns.most, 0u);
    EXPECT_GT(r.rss_peak_bytes, 0);
    EXPECT_EQ(nlohmann::json::parse(app::page_data(o, r))["scope"], "processes");
  }
}

TEST(processes, the_summary_tells_of_kills) {
  const app::run_options o = options({"--for", "1s", "--kill-every", "10ms"});
  const app::run_result r = app::run(o);
  EXPECT_TRUE(r.sound());
  EXPECT_GT(r.kills, 0u);
  EXPECT_NE(app::summary_line(o, r).find(", torn 0, processes killed "), std::string::npos);
}

}  // namespace
