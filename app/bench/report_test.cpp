#include <gtest/gtest.h>

#include <app/bench/report.hpp>
#include <nlohmann/json.hpp>
#include <string>

namespace {

// The bug: the page has other figures than the lines, or cannot be read when there are none.
TEST(bench_report, the_page_has_the_lines_as_they_are_printed) {
  const std::string header =
      R"({"schema":"mortise.bench/1","machine":{"cores":2},"mode":"full","command":"mortise bench"})";
  const std::string line =
      R"({"bench":"switch/std/kind:thread/parties:2","workload":"switch","contender":"std","kind":"thread",)"
      R"("params":{"parties":2},"id":"P11","repetitions":1,)"
      R"("figures":{"ns":{"median":7,"min":7,"max":7,"samples":[7]}},"bars":[]})";
  for (const int lines : {0, 1, 3}) {
    std::string text = header + "\n";
    for (int i = 0; i < lines; ++i) text += line + "\n";
    const auto data = nlohmann::ordered_json::parse(app::bench::report_data(app::bench::read_lines(text)));
    EXPECT_EQ(data.at("header"), nlohmann::ordered_json::parse(header));
    ASSERT_EQ(data.at("lines").size(), static_cast<std::size_t>(lines));
    for (const auto& each : data.at("lines")) EXPECT_EQ(each, nlohmann::ordered_json::parse(line));
  }
}

}  // namespace
