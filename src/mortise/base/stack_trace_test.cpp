#include <mortise/base/stack_trace.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <exception>
#include <iterator>
#include <regex>
#include <string>

namespace {

using mortise::stack_trace;

[[gnu::noinline]] void inner(stack_trace& all, stack_trace& skipped) {
  all = stack_trace::capture(), skipped = stack_trace::capture(1);
}

std::string printed(const stack_trace& t) {
  std::string text;
  t.print(text, "  ");
  return text;
}

// The bug: frames of the library's own are in front, or one of the caller's is missing.
TEST(stack_trace, begins_with_the_caller_less_what_is_skipped) {
  stack_trace all, skipped;
  inner(all, skipped);
  ASSERT_GE(all.size, 3);
  EXPECT_EQ(skipped.size, all.size - 1);
  EXPECT_EQ(skipped.frames[0], all.frames[1]);
  const auto begin = reinterpret_cast<std::uintptr_t>(&inner),
             first = reinterpret_cast<std::uintptr_t>(all.frames[0]);
  EXPECT_LT(begin, first);
  EXPECT_LT(first, begin + 1000);
}

// The bug: a stack that is deeper than what is kept is written past its end.
[[gnu::noinline]] int deep(int levels, stack_trace& out) {
  if (levels == 0) {
    out = stack_trace::capture();
    return 0;
  }
  const int below = deep(levels - 1, out);
  asm volatile("" : : : "memory");
  return below + 1;
}
TEST(stack_trace, deep_stacks_are_cut) {
  stack_trace t;
  EXPECT_EQ(deep(100, t), 100);
  EXPECT_EQ(t.size, stack_trace::most);
}

// The bug: the report is one that no tool can read on.
TEST(stack_trace, each_line_names_module_and_offset) {
  const stack_trace t = stack_trace::capture();
  const std::string text = printed(t);
  const std::regex line{"  #[0-9]+ .*\\(.+\\+0x[0-9a-f]+\\)\n"};
  EXPECT_EQ(std::distance(std::sregex_iterator{text.begin(), text.end(), line}, std::sregex_iterator{}),
            t.size)
      << text;
}

// The bug: names stay mangled, or are those of the function behind a call that does not return.
TEST(stack_trace, exported_functions_are_named) {
  stack_trace t;
  t.frames[0] = reinterpret_cast<char*>(&std::terminate) + 1;
  t.size = 1;
  EXPECT_NE(printed(t).find("#0 std::terminate()+0x0 ("), std::string::npos) << printed(t);
}

}  // namespace
