// A COMMAND for the tests of `mortise lock`, which does what a shell cannot.
//
//   probe signals       prints the name of each signal that comes, one a line, until its input ends
//   probe closes        closes all descriptors but the first three, as ssh and sudo do, prints a line, waits for the end of its input
//   probe naive FILE PROGRAM...
//                       the control: runs PROGRAM while it holds FILE by a descriptor that PROGRAM does not inherit
//   probe becomes FILE PROGRAM...
//                       the control: becomes PROGRAM, which inherits the descriptor and is all that has it
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace {

void wait_for_end_of_input() {
  std::array<char, 64> part;
  while (::read(STDIN_FILENO, part.data(), part.size()) > 0) {}
}

int signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  const int come = ::signalfd(-1, &all, 0);
  std::puts("ready");
  std::fflush(stdout);
  for (;;) {
    std::array<pollfd, 2> news{{{come, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    ::poll(news.data(), news.size(), -1);
    if ((news[0].revents & POLLIN) != 0) {
      signalfd_siginfo signal;
      if (::read(come, &signal, sizeof signal) != sizeof signal) return 1;
      std::printf("%s\n", ::sigabbrev_np(static_cast<int>(signal.ssi_signo)));
      std::fflush(stdout);
    } else if (news[1].revents != 0) {
      return 0;
    }
  }
}

int closes() {
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  std::puts("ready");
  std::fflush(stdout);
  wait_for_end_of_input();
  return 0;
}

int naive(const char* file, char** program, int flags) {
  const int fd = ::open(file, O_RDWR | O_CREAT | flags, 0600);
  if (fd < 0 || ::flock(fd, LOCK_EX) != 0) return 125;
  if ((flags & O_CLOEXEC) == 0) return ::execv(program[0], program);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execv(program[0], program);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "signals") == 0) return signals();
  if (argc == 2 && std::strcmp(argv[1], "closes") == 0) return closes();
  if (argc >= 4 && std::strcmp(argv[1], "naive") == 0) return naive(argv[2], argv + 3, O_CLOEXEC);
  if (argc >= 4 && std::strcmp(argv[1], "becomes") == 0) return naive(argv[2], argv + 3, 0);
  return 125;
}
