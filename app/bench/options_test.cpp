#include <app/bench/options.hpp>
#include <app/run/options.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace app::bench {
namespace {

using testing::HasSubstr;

std::string error(const std::vector<std::string>& arguments) {
  try {
    parse(arguments);
  } catch (const usage_error& e) {
    return e.what();
  }
  return "none";
}

TEST(bench_options, defaults_are_five_repetitions_of_the_subset) {
  EXPECT_EQ(parse({}).how, mode::normal);
  EXPECT_EQ(parse({}).repetitions, 5u);
  EXPECT_EQ(parse({"--full"}).repetitions, 5u);
  EXPECT_EQ(parse({"--quick"}).repetitions, 1u);
  EXPECT_EQ(parse({"--quick", "--repetitions", "3"}).repetitions, 3u);
}

TEST(bench_options, words_and_flags_may_stand_in_any_order) {
  const options o = parse({"P6a", "--json", "sleep", "--programs", "d"});
  EXPECT_EQ(o.words, (std::vector<std::string>{"P6a", "sleep"}));
  EXPECT_TRUE(o.json);
  EXPECT_EQ(o.programs, "d");
}

TEST(bench_options, what_cannot_be_is_one_line_that_names_the_flag) {
  EXPECT_EQ(error({"--repetitions", "0"}), "--repetitions: 0 is not in 1..1000");
  EXPECT_EQ(error({"--quick", "--full"}), "--quick: not together with --full");
  EXPECT_EQ(error({"--json", "--markdown"}), "--json: not together with --markdown");
  EXPECT_EQ(error({"--ful"}), "--ful: no such flag; did you mean --full?");
  EXPECT_THAT(error({"--from", "f", "--full"}), HasSubstr("--full: not together with --from"));
  EXPECT_THAT(error({"--xyzzy"}), HasSubstr("see mortise bench --help"));
}

TEST(bench_options, help_is_an_answer) { EXPECT_THROW(parse({"--help"}), answer); }

}  // namespace
}  // namespace app::bench
