#include <gtest/gtest.h>
#include <app/run/options.hpp>

namespace {

std::string error_of(const std::vector<std::string>& arguments) {
  try {
    app::parse_run(arguments);
  } catch (const app::usage_error& e) {
    return e.what();
  }
  return "";
}

TEST(options, defaults_are_the_seeds) {
  const app::run_options o = app::parse_run({});
  EXPECT_EQ(o.readers, 100u);
  EXPECT_EQ(o.writers, 10u);
  EXPECT_EQ(o.keys, 5u);
  EXPECT_EQ(o.values, 100u);
  EXPECT_EQ(o.sleep_ns, 1'000'000);
  EXPECT_EQ(o.for_ns, 1'000'000'000);
}

TEST(options, all_are_read) {
  const app::run_options o =
      app::parse_run({"--readers", "0",         "--writers=7", "--keys", "9",       "--values",  "3",
                      "--sleep",   "250us",     "--for",       "0",      "--tasks", "coroutine", "--lock",
                      "none",      "--workers", "2",           "--seed", "99",      "--json"});
  EXPECT_EQ(o.readers, 0u);
  EXPECT_EQ(o.writers, 7u);
  EXPECT_EQ(o.keys, 9u);
  EXPECT_EQ(o.values, 3u);
  EXPECT_EQ(o.sleep_ns, 250'000);
  EXPECT_EQ(o.for_ns, 0);
  EXPECT_EQ(o.tasks, app::task_kind::coroutine);
  EXPECT_EQ(o.lock, app::lock_kind::none);
  EXPECT_EQ(o.workers, 2u);
  EXPECT_EQ(o.seed, 99u);
  EXPECT_TRUE(o.json);
}

TEST(options, bad_ones_name_flag_value_and_range) {
  EXPECT_EQ(error_of({"--readers", "x"}), "--readers: x is not in 0..100000000");
  EXPECT_EQ(error_of({"--keys", "0"}), "--keys: 0 is not in 1..1000000");
  EXPECT_EQ(error_of({"--workers", "1025"}), "--workers: 1025 is not in 0..1024");
  EXPECT_EQ(error_of({"--sleep", "1"}), "--sleep: 1 is no duration in 0..24h");
  EXPECT_EQ(error_of({"--tasks", "goroutine"}),
            "--tasks: goroutine is none of fiber|coroutine|thread|process");
  EXPECT_EQ(error_of({"--reader", "3"}), "--reader: no such flag; did you mean --readers?");
  EXPECT_NE(error_of({"--lock", "std"}).find("--lock: std works with --tasks thread only"),
            std::string::npos);
  EXPECT_EQ(error_of({"--readers", "1", "--readers", "2"}), "--readers: given 2 times");
  EXPECT_EQ(error_of({"--readers"}), "--readers: has no value; allowed: 0..100000000");
  EXPECT_EQ(error_of({"--readers", "-5"}), "--readers: -5 is not in 0..100000000");
  EXPECT_EQ(error_of({"--json=maybe"}), "--json: takes no value");
  EXPECT_EQ(error_of({"stray"}), "stray: not expected; flags start with --, see mortise run --help");
  for (const auto& bad : {error_of({"--readers"}), error_of({"stray"}), error_of({"--zzzzzzzzzzzz"})}) {
    EXPECT_FALSE(bad.empty());
    EXPECT_EQ(bad.find('\n'), std::string::npos) << bad;
  }
}

// The bug: what was typed was printed as it came, a newline or an escape sequence too.
TEST(options, errors_are_one_line_whatever_was_typed) {
  EXPECT_EQ(error_of({"--ke\nys", "1"}), "--ke\\x0ays: no such flag; did you mean --keys?");
  EXPECT_EQ(error_of({"--keys", "1\n2"}), "--keys: 1\\x0a2 is not in 1..1000000");
  EXPECT_EQ(error_of({"--keys", "\x1b[2J"}), "--keys: \\x1b[2J is not in 1..1000000");
  EXPECT_EQ(error_of({"a\rb"}), "a\\x0db: not expected; flags start with --, see mortise run --help");
}

// The bug: of several the error named all in one, and of one with a colon only what stood behind it.
TEST(options, the_first_stray_word_is_named) {
  constexpr const char* rest = ": not expected; flags start with --, see mortise run --help";
  EXPECT_EQ(error_of({"a b", "c: d"}), std::string("a b") + rest);
  EXPECT_EQ(error_of({"c: d", "--json", "a"}), std::string("c: d") + rest);
}

TEST(options, leading_zeros_are_not_octal) {  // the bug: 010 meant eight readers
  EXPECT_EQ(app::parse_run({"--readers", "010"}).readers, 10u);
  EXPECT_EQ(app::parse_run({"--workers", "08"}).workers, 8u);
}

TEST(options, nearest_is_near) {
  EXPECT_EQ(app::nearest("-r", {"--writers", "--readers"}), "--readers");
  EXPECT_EQ(app::nearest("--work", {"--writers", "--workers"}), "--workers");
  EXPECT_EQ(app::nearest("", {"run", "bench"}), "");
  EXPECT_EQ(app::nearest("rnu", {"run", "bench"}), "run");
  EXPECT_EQ(app::nearest("completely-else", {"run", "bench"}), "");
}

}  // namespace
