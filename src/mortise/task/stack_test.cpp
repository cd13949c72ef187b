#include <mortise/task/stack.hpp>

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <mortise/base/sanitizers.hpp>
#include <support/emulated.hpp>

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

#if !MORTISE_ASAN && !MORTISE_TSAN

// Makes madvise(MADV_GUARD_INSTALL) say yes and do nothing, for this process.
bool pretend_to_guard() {
  constexpr std::uint32_t advice = offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t);
  std::array<sock_filter, 6> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, advice),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 102, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{program.size(), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// The bug: an emulator, or a sandbox, takes the request for a hint and says yes; then nothing keeps an overflow from the
// neighbour's stack.
TEST(stack_death, a_guard_that_is_only_pretended_is_noticed) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  if (!mortise::test::emulated()) {  // qemu-user pretends by itself
    EXPECT_EXIT(std::_Exit(pretend_to_guard() ? 0 : 1), testing::ExitedWithCode(0), "") << "no seccomp here";
  }
  EXPECT_EXIT(
      {
        if (!mortise::test::emulated() && !pretend_to_guard()) std::_Exit(1);
        stack_pool pool{1};
        char* const base = pool.take().base;
        base[pool.size() - 1] = 1;
        base[0] = 1;
        std::_Exit(2);
      },
      testing::KilledBySignal(SIGSEGV), "");
}

#endif

}  // namespace
