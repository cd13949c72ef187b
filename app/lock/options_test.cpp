#include <gtest/gtest.h>
#include <app/lock/options.hpp>
#include <app/run/options.hpp>

#include <algorithm>
#include <random>

namespace {

using words = std::vector<std::string>;

std::string error_of(const words& arguments) {
  try {
    app::lock::parse(arguments);
  } catch (const app::usage_error& e) {
    return e.what();
  }
  return "";
}

TEST(lock_options, all_are_read) {
  for (const words& typed : std::vector<words>{
           {"--timeout", "1.5s", "x", "-E", "9", "--", "cat", "-n"},
           {"x", "--timeout=1500ms", "--conflict-exit-code=9", "cat", "-n"},
           {"-E9", "--timeout", "1500ms", "--", "x", "cat", "-n"},
           {"x", "--conflict-exit-code", "9", "--timeout", "1500ms", "--", "cat", "-n"},
       }) {
    const app::lock::options o = app::lock::parse(typed);
    EXPECT_EQ(o.name, "x");
    EXPECT_EQ(o.timeout_ns, 1'500'000'000);
    EXPECT_EQ(o.conflict_code, 9);
    EXPECT_EQ(o.command, (words{"cat", "-n"}));
  }
  EXPECT_EQ(app::lock::parse({"x", "true"}).timeout_ns, std::nullopt);
  EXPECT_EQ(app::lock::parse({"x", "true"}).conflict_code, 124);
  EXPECT_EQ(app::lock::parse({"x", "--no-wait", "true"}).timeout_ns, 0);
}

// The bug: a flag of COMMAND's was taken for ours, or its `--` swallowed.
TEST(lock_options, what_stands_behind_the_command_is_the_commands) {
  EXPECT_EQ(app::lock::parse({"x", "rm", "--timeout", "-E", "--", "-h"}).command,
            (words{"rm", "--timeout", "-E", "--", "-h"}));
  EXPECT_EQ(app::lock::parse({"x", "--", "rm", "--", "f"}).command, (words{"rm", "--", "f"}));
  EXPECT_EQ(app::lock::parse({"x", "--", "--odd"}).command, (words{"--odd"}));
  EXPECT_EQ(app::lock::parse({"x", "", "a"}).command, (words{"", "a"}));
}

TEST(lock_options, bad_ones_name_flag_value_and_range) {
  EXPECT_EQ(error_of({"x", "--timeout", "soon", "true"}), "--timeout: soon is no duration in 0..8760h");
  EXPECT_EQ(error_of({"x", "--timeout=8761h", "true"}), "--timeout: 8761h is no duration in 0..8760h");
  EXPECT_EQ(error_of({"x", "--timeout=", "true"}), "--timeout:  is no duration in 0..8760h");
  EXPECT_EQ(error_of({"x", "--timeout"}), "--timeout: has no value; allowed: 0..8760h");
  EXPECT_EQ(error_of({"x", "-E", "256", "true"}), "-E: 256 is not in 0..255");
  EXPECT_EQ(error_of({"x", "-E-1", "true"}), "-E: -1 is not in 0..255");
  EXPECT_EQ(error_of({"x", "--conflict-exit-code=one", "true"}),
            "--conflict-exit-code: one is not in 0..255");
  EXPECT_EQ(error_of({"x", "--conflict-exit-code"}), "--conflict-exit-code: has no value; allowed: 0..255");
  EXPECT_EQ(error_of({"x", "--no-wait=yes", "true"}), "--no-wait: takes no value");
  EXPECT_EQ(error_of({"x", "--no-wait", "--timeout", "1s", "true"}), "--timeout: excludes --no-wait");
  EXPECT_EQ(error_of({"x", "--timeout", "1s", "--timeout", "1s", "true"}), "--timeout: given 2 times");
  EXPECT_EQ(error_of({"x", "-E1", "--conflict-exit-code", "1", "true"}),
            "--conflict-exit-code: given 2 times");
  EXPECT_EQ(error_of({"--timout", "1s", "x", "true"}), "--timout: no such flag; did you mean --timeout?");
  EXPECT_EQ(error_of({"-n", "x", "true"}), "-n: no such flag; did you mean --no-wait?");
  EXPECT_EQ(error_of({"--zzzzzzzzzzzz", "x", "true"}),
            "--zzzzzzzzzzzz: no such flag; see mortise lock --help");
  EXPECT_NE(error_of({}).find("lock: no NAME and no COMMAND; mortise lock NAME"), std::string::npos);
  EXPECT_NE(error_of({"x", "--"}).find("lock: no COMMAND; mortise lock NAME"), std::string::npos);
  EXPECT_EQ(error_of({"x", "-\x1b[2J"}), "-\\x1b[2J: no such flag; see mortise lock --help");
}

TEST(lock_options, help_tables_the_exit_codes) {
  for (const words& typed : std::vector<words>{{"--help"}, {"-h"}, {"x", "--help"}}) {
    try {
      app::lock::parse(typed);
      FAIL();
    } catch (const app::answer& a) {
      const std::string text = a.what();
      for (const char* code : {"\n  124 ", "\n  125 ", "\n  126 ", "\n  127 ", "\n  128+n "})
        EXPECT_NE(text.find(code), std::string::npos) << code;
    }
  }
}

// The bug: some mixture of words is neither refused by one line nor read as somebody meant it.
TEST(lock_options, whatever_was_typed_is_read_or_refused_by_one_line) {
  const words all = {"x",  "--", "-E",     "-E9", "--timeout", "--timeout=1s", "--no-wait", "-",
                     "-n", "",   "--t\n=", "1s",  "9",         "true",         "--help"};
  std::minstd_rand random{1};
  for (int i = 0; i < 20'000; ++i) {
    words typed(random() % 7);
    for (std::string& word : typed) word = all[random() % all.size()];
    try {
      const app::lock::options o = app::lock::parse(typed);
      ASSERT_FALSE(o.command.empty());
      ASSERT_TRUE(
          std::equal(o.command.rbegin(), o.command.rend(), typed.rbegin()));  // COMMAND is the end of it
    } catch (const app::usage_error& e) {
      ASSERT_NE(std::string_view(e.what()), "");
      ASSERT_EQ(std::string_view(e.what()).find('\n'), std::string_view::npos);
    } catch (const app::answer&) {}
  }
}

TEST(lock_options, a_cluster_has_flags_of_its_own) {
  const app::lock::options usual = app::lock::parse({"--cluster", "x", "true"});
  EXPECT_TRUE(usual.cluster);
  EXPECT_EQ(usual.ttl_ns, 10'000'000'000);
  EXPECT_EQ(usual.grace_ns, 2'000'000'000);
  EXPECT_EQ(usual.place.endpoints, (words{"http://127.0.0.1:2379"}));
  EXPECT_EQ(usual.place.prefix, "mortise/");
  const app::lock::options all =
      app::lock::parse({"--cluster", "--endpoints=https://a:1,https://b:2", "--tls-ca", "ca", "--ttl", "1m",
                        "--grace=24s", "--prefix", "", "a/b", "--no-wait", "--", "cat"});
  EXPECT_EQ(all.name, "a/b");
  EXPECT_EQ(all.place.endpoints, (words{"https://a:1", "https://b:2"}));
  EXPECT_EQ(all.place.ca, "ca");
  EXPECT_EQ(all.place.prefix, "");
  EXPECT_EQ(all.ttl_ns, 60'000'000'000);
  EXPECT_EQ(all.grace_ns, 24'000'000'000);
  EXPECT_EQ(all.timeout_ns, 0);
  EXPECT_EQ(all.command, (words{"cat"}));
  EXPECT_EQ(app::lock::parse({"--cluster", "--ttl", "2s", "x", "true"}).grace_ns, 800'000'000) << "what fits";
  EXPECT_FALSE(app::lock::parse({"x", "true"}).cluster);
}

TEST(lock_options, what_is_wrong_with_those_of_a_cluster_is_named_with_what_is_allowed) {
  EXPECT_EQ(error_of({"--ttl", "5s", "x", "true"}), "--ttl: works with --cluster only");
  EXPECT_EQ(error_of({"x", "--endpoints", "http://a:1", "true"}), "--endpoints: works with --cluster only");
  EXPECT_EQ(error_of({"--cluster", "--cluster", "x", "true"}), "--cluster: given 2 times");
  EXPECT_EQ(error_of({"--cluster=x", "true"}), "--cluster: takes no value; NAME is a word of its own");
  EXPECT_EQ(error_of({"--cluster", "--ttl", "500ms", "x", "true"}), "--ttl: 500ms is no duration in 1s..1h");
  EXPECT_EQ(error_of({"--cluster", "--grace", "5s", "x", "true"}), "--grace: 5s is no duration in 0..4s");
  EXPECT_EQ(error_of({"--cluster", "--ttl", "1s", "--ttl", "2s", "x", "true"}), "--ttl: given 2 times");
  EXPECT_EQ(error_of({"--cluster", "--user=", "x", "true"}), "--user: has no value; allowed: text");
  EXPECT_EQ(
      error_of({"--cluster", "--endpoints", "a:1", "x", "true"}),
      "--endpoints: a:1 is none; allowed: http://HOST:PORT or https://HOST:PORT, several with a comma between");
  EXPECT_EQ(error_of({"--clutser", "x", "true"}), "--clutser: no such flag; did you mean --cluster?");
}

}  // namespace
