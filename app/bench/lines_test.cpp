// The JSON lines: what is written is what is read, and what is no such line is named.
#include <app/bench/lines.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace app::bench {
namespace {

using testing::HasSubstr;

judged a_line() {
  outcome o{{"contended", "mortise", "thread", {{"parties", 8}, {"held_ns", 20}}, {}}, "P6a", 2, {}, {}, {}};
  o.figures = {{"ops_per_s", {1.5e7, 1.25e7}}, {"share", {0.9, 0.75}}};
  verdict ratio{
      {"P6a", "ops_per_s", sense::at_least, 1, {}, "std", {}}, "contended/std/kind:thread", 1.25, true, {}};
  verdict open{{"P6a", "share", sense::at_most, 0.25, 0.1, "std", {}}, {}, {}, {}, "no std"};
  return {o, {ratio, open}};
}

const std::string header =
    R"({"schema": "mortise.bench/1", "machine": {"cores": 2}, "mode": "quick", "command": "c"})";

std::string complaint(const std::string& text) {
  try {
    read_lines(text);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "none";
}

// The bug: the table of a file differs from the table of the run that wrote it.
TEST(lines, what_is_written_is_read_back) {
  result r;
  r.machine = {{"cores", 2}};
  r.mode = "full";
  r.command = "mortise bench --full";
  const std::string text = header_line(r) + "\n" + json_line(a_line()) + "\n";
  const result back = read_lines(text);
  EXPECT_EQ(header_line(back), header_line(r));
  ASSERT_EQ(back.lines.size(), 1u);
  EXPECT_EQ(json_line(back.lines[0]), json_line(a_line()));
  EXPECT_EQ(back.lines[0].verdicts[1].note, "no std");
}

TEST(lines, a_line_has_the_figures_and_what_they_were_compared_with) {
  const auto j = nlohmann::json::parse(json_line(a_line()));
  EXPECT_EQ(j["bench"], "contended/mortise/kind:thread/parties:8/held_ns:20");
  EXPECT_EQ(j["params"]["held_ns"], 20);
  EXPECT_EQ(j["figures"]["ops_per_s"]["median"], 13'750'000);
  EXPECT_EQ(j["figures"]["share"]["min"], 0.75);
  EXPECT_EQ(j["figures"]["share"]["samples"].size(), 2u);
  EXPECT_EQ(j["bars"][0]["against_bench"], "contended/std/kind:thread");
  EXPECT_TRUE(j["bars"][1]["met"].is_null());
}

// The bug: a contender's last words, in whatever bytes, make the whole line unreadable.
TEST(lines, words_that_are_no_utf8_do_not_spoil_the_line) {
  judged line = a_line();
  line.what.failed = "exit 1: \xff\"";
  EXPECT_TRUE(nlohmann::json::accept(json_line(line)));
}

TEST(lines, what_is_no_line_is_named_by_its_number) {
  EXPECT_EQ(complaint(""), "line 1: there is none");
  EXPECT_THAT(complaint("rubbish\n"), HasSubstr("line 1: "));
  EXPECT_EQ(complaint(R"({"schema": "mortise.run/1"})"), "line 1: its schema is not mortise.bench/1");
  EXPECT_THAT(complaint(header + "\n{\"bench\": \"x\"}\n"), HasSubstr("line 2: "));
  EXPECT_THAT(complaint(header + "\n" + json_line(a_line()).substr(0, 50)), HasSubstr("line 2: "));
  EXPECT_EQ(complaint(header + "\n\n" + json_line(a_line()) + "\n"), "none");
}

}  // namespace
}  // namespace app::bench
