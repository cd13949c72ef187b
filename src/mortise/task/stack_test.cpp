#include <mortise/task/stack.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>

namespace {

using mortise::task_detail::stack_pool;

// The bug: pages are as large as the smallest stack, and the guard is all of it.
TEST(stack, a_guard_leaves_three_quarters_of_its_stack_whatever_the_pages) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  for (const std::size_t wanted : {std::size_t{1}, std::size_t{16} << 10, std::size_t{100} << 10}) {
    EXPECT_GE(stack_pool::rounded(wanted, page), wanted);
    EXPECT_EQ(stack_pool{wanted}.size(), stack_pool::rounded(wanted, page));
    for (const std::size_t pages_of : {std::size_t{4} << 10, std::size_t{16} << 10, std::size_t{64} << 10}) {
      EXPECT_GE(stack_pool::rounded(wanted, pages_of), 4 * pages_of);
    }
  }
  EXPECT_EQ(stack_pool::rounded(std::size_t{64} << 10, 4096), std::size_t{64} << 10);
}

}  // namespace
