// A handler is installed when asked for, and lets others have their turn.
#include <mortise/task/overflow.hpp>

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>

#include <mortise/base/sanitizers.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/task_scope.hpp>

namespace {

#if !MORTISE_ASAN && !MORTISE_TSAN

bool handled(int signal) {
  struct sigaction now{};
  ::sigaction(signal, nullptr, &now);
  return (now.sa_flags & SA_SIGINFO) != 0 || now.sa_handler != SIG_DFL;
}

// The bug: a library takes a program's signals without being asked.
TEST(overflow, no_handler_is_installed_unless_asked) {
  mortise::runtime rt;
  mortise::task_scope tasks{rt};
  tasks.go([] {});
  tasks.join();
  EXPECT_FALSE(handled(SIGSEGV));
  EXPECT_FALSE(handled(SIGBUS));
}

[[gnu::noinline]] int deep(int n) {
  volatile char frame[512];
  frame[0] = static_cast<char>(n);
  return n == 0 ? frame[0] : deep(n - 1) + frame[0];
}

// The bug: the handler that a program had is forgotten.
TEST(overflow_death, the_handler_before_is_called) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        struct sigaction before{};
        before.sa_handler = [](int) { std::_Exit(7); };
        before.sa_flags = SA_ONSTACK;
        ::sigaction(SIGSEGV, &before, nullptr);
        mortise::install_overflow_handler();
        mortise::runtime rt;
        mortise::task_scope tasks{rt};
        tasks.go([] { deep(1'000'000); });
        tasks.join();
      },
      testing::ExitedWithCode(7), "overflowed its stack");
}

#endif

}  // namespace
