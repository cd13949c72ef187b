#pragma once

// fork(), in a process with threads whose child is to allocate.
//
// The C library's allocator is put in order in the child. AddressSanitizer's, as GCC 12 has it, is not: a lock of it that another thread had at
// that moment stays locked for ever, and under load one fork in twenty was of that kind. So there the child shows first that it can allocate,
// and one that cannot is forked again. Handlers of pthread_atfork run for each of them.

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <thread>

#include <mortise/base/atomic.hpp>
#include <mortise/base/sanitizers.hpp>

namespace mortise::test {

// In a thread of its own: the allocator goes by its locks only where a thread's cache is empty. Blocks of all its classes, and one beyond them.
inline void allocate_of_each_size() {
  std::thread([] {
    for (std::size_t size = 8; size < 1'000'000; size += 8 + size / 8) {
      void* volatile block = std::malloc(size);
      std::free(block);
    }
  }).join();
}

inline pid_t fork_whole() {
  if constexpr (!MORTISE_ASAN) return ::fork();
  enum : int { tries, is_whole, given_up };
  using flag = mortise::atomic<int>;
  void* const page = ::mmap(nullptr, sizeof(flag), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) std::abort();
  flag& state = *new (page) flag{tries};
  const auto settle = [&](int how) {  // the first to say so has the say
    int expected = tries;
    return state.compare_exchange_strong(expected, how) || expected == how;
  };
  for (;;) {
    state = tries;
    const pid_t child = ::fork();
    if (child == 0) {
      allocate_of_each_size();
      while (!settle(is_whole)) ::pause();  // its parent is about to kill it
      return 0;
    }
    for (int i = 0; child > 0 && i < 100'000 && state == tries; ++i) ::usleep(100);
    if (child < 0 || !settle(given_up)) {
      ::munmap(page, sizeof(flag));
      return child;
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
}

}  // namespace mortise::test
