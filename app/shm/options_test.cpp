#include <gtest/gtest.h>
#include <app/run/options.hpp>
#include <app/shm/options.hpp>

namespace {

using words = std::vector<std::string>;
using app::shm::action;
using app::shm::parse;

std::string error_of(const words& arguments) {
  try {
    parse(arguments);
  } catch (const app::usage_error& e) {
    return e.what();
  }
  return "";
}

TEST(shm_options, all_are_read) {
  EXPECT_EQ(parse({"ls"}).what, action::list);
  EXPECT_FALSE(parse({"ls"}).json);
  EXPECT_TRUE(parse({"--json", "ls"}).json);
  for (const words& typed :
       {words{"inspect", "jobs", "--json"}, {"--json", "inspect", "jobs"}, {"inspect", "--json", "jobs"}}) {
    const app::shm::options o = parse(typed);
    EXPECT_EQ(o.what, action::inspect);
    EXPECT_EQ(o.name, "jobs");
    EXPECT_TRUE(o.json);
  }
  EXPECT_EQ(parse({"rm", "ls"}).what, action::remove);
  EXPECT_EQ(parse({"rm", "ls"}).name, "ls");
  EXPECT_THROW(parse({"rm", "--help"}), app::answer);
  EXPECT_THROW(parse({"-h"}), app::answer);
}

TEST(shm_options, bad_ones_are_named_with_what_is_allowed) {
  EXPECT_EQ(error_of({}), "shm: says not what to do; there are: ls, inspect NAME, rm NAME");
  EXPECT_EQ(error_of({"zap"}), "shm: zap: no such action; there are: ls, inspect, rm");
  EXPECT_EQ(error_of({"inspct", "x"}), "shm: inspct: no such action; did you mean inspect?");
  EXPECT_EQ(error_of({"rm"}), "shm rm: no NAME");
  EXPECT_EQ(error_of({"inspect", "--json"}), "shm inspect: no NAME");
  EXPECT_EQ(error_of({"ls", "jobs"}), "jobs: not expected; see mortise shm --help");
  EXPECT_EQ(error_of({"rm", "a", "b"}), "b: not expected; see mortise shm --help");
  EXPECT_EQ(error_of({"rm", "a", "--json"}), "--json: not with rm, which prints nothing");
  EXPECT_EQ(error_of({"ls", "--json", "--json"}), "--json: given 2 times");
  EXPECT_EQ(error_of({"ls", "--json=1"}), "--json: takes no value");
  EXPECT_EQ(error_of({"ls", "--jsn"}), "--jsn: no such flag; did you mean --json?");
  EXPECT_EQ(error_of({"ls", "--all-of-it"}), "--all-of-it: no such flag; see mortise shm --help");
  EXPECT_EQ(error_of({"rm", "../etc"}),
            "NAME: ../etc is none: 1 to 64 letters, digits, '.', '-' and '_', and none of '.' and '-' first");
  EXPECT_EQ(
      error_of({"rm", "a\nb"}),
      "NAME: a\\x0ab is none: 1 to 64 letters, digits, '.', '-' and '_', and none of '.' and '-' first");
  EXPECT_EQ(error_of({"rm", ""}),
            "NAME: '' is none: 1 to 64 letters, digits, '.', '-' and '_', and none of '.' and '-' first");
}

}  // namespace
