// The soak finds what it is there to find: bugs are planted in it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

#include <mortise/base/sanitizers.hpp>
#include <support/emulated.hpp>

namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

struct outcome {
  int status;
  std::string text;  // both of its outputs
};

outcome soak(const std::string& flags) {
  std::FILE* const out = ::popen(("exec " MORTISE_SOAK " " + flags + " 2>&1").c_str(), "r");
  outcome o{-1, {}};
  if (out == nullptr) return o;
  std::array<char, 4096> part;
  for (std::size_t n; (n = std::fread(part.data(), 1, part.size(), out)) > 0;) o.text.append(part.data(), n);
  o.status = ::pclose(out);
  return o;
}

// The bug: a program that hangs says nothing, or does not say who holds what and who waits.
TEST(soak, a_hang_is_told_with_every_holder_and_waiter) {
  const outcome o = soak("--brief --plant=hang --bound=1 --seed=7");
  ASSERT_TRUE(WIFSIGNALED(o.status)) << o.text;
  EXPECT_EQ(WTERMSIG(o.status), SIGABRT);
  EXPECT_THAT(o.text, ContainsRegex("HUNG: .* has done nothing for 1\\.[0-9] s"));
  EXPECT_THAT(o.text, ContainsRegex("mutex 0 at 0x[0-9a-f]+: held"));
  EXPECT_THAT(o.text,
              ContainsRegex("holder  fiber [0-9]+ \\(party [0-9]+\\), which said: sleep while holding"));
  for (const char* who : {"thread", "fiber", "task", "foreign coroutine"}) {
    EXPECT_THAT(o.text, ContainsRegex(std::string("waits   ") + who +
                                      " [0-9]+ \\(party [0-9]+\\) for [0-9.]+ s, not offered"));
  }
  EXPECT_THAT(o.text, ContainsRegex("party [0-9]+: thread [0-9]+, turn [0-9]+: lock, mutex 0, silent for"));
  EXPECT_THAT(o.text, ContainsRegex("party [0-9]+: conductor [0-9]+, turn [0-9]+: join the threads"));
}

// The bug: an update is lost, and the books come out even.
TEST(soak, a_lost_update_is_found) {
  const outcome o = soak("--brief --plant=lost --seed=7");
  EXPECT_FALSE(WIFEXITED(o.status) && WEXITSTATUS(o.status) == 0) << o.text;
  EXPECT_THAT(o.text,
              ContainsRegex("lost: the counter behind mutex 0 is|torn: .* behind mutex 0|ThreadSanitizer"));
  EXPECT_THAT(o.text, ContainsRegex("soak: FAILED|ThreadSanitizer"));
}

// The bug: memory grows by some MiB a round, and is called flat.
TEST(soak, a_leak_is_found) {
  if (MORTISE_TSAN) GTEST_SKIP() << "ThreadSanitizer keeps what was freed";
  if (mortise::test::emulated()) GTEST_SKIP() << "most of the memory is the emulator's";
  const outcome o = soak("--brief --plant=leak --seed=7");
  EXPECT_FALSE(WIFEXITED(o.status) && WEXITSTATUS(o.status) == 0) << o.text;
  EXPECT_THAT(o.text, ContainsRegex("memory grew from|LeakSanitizer"));
}

TEST(soak, bad_flags_name_value_and_range) {
  const outcome o = soak("--ops 0");
  EXPECT_EQ(WEXITSTATUS(o.status), 2);
  EXPECT_EQ(o.text, "soak: --ops: 0 is not in 1..1000000000000000\n");
  EXPECT_EQ(soak("--plant=x").text, "soak: --plant: x is not in hang|lost|leak\n");
  EXPECT_EQ(soak("--opps 3").text, "soak: --opps: no such flag; see --help\n");
}

}  // namespace
