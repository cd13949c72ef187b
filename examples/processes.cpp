// Processes that share a value: four children count jobs, a fifth is killed in the middle of a change, and nothing is lost or torn.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <mortise/shm/guarded.hpp>
#include <mortise/shm/mutex.hpp>
#include <mutex>
#include <string>

namespace {

constexpr int children = 4;
constexpr int rounds = 1000;

struct counters {
  std::uint64_t jobs = 0;
  std::uint64_t last_token = 0;
};

template <class F>
pid_t in_a_child(F f) {
  const pid_t child = fork();
  if (child == 0) {
    f();
    _exit(EXIT_SUCCESS);
  }
  return child;
}

}  // namespace

int main() {
  // Memory without a name, which children inherit. With a name, as in state{"counters"}, all processes of this user can open it.
  mortise::shm::guarded<counters> state{mortise::shm::place::anonymous()};
  mortise::shm::mutex output{mortise::shm::place::anonymous()};

  for (int i = 0; i < children; ++i) {
    in_a_child([&] {
      for (int n = 0; n < rounds; ++n) {
        state.update([](counters& c, const mortise::shm::tenure& now) {
          ++c.jobs;
          c.last_token = now.token;
        });
      }
      const std::lock_guard hold{output};
      std::cout << "child " + std::to_string(i) + " wrote line " + std::to_string(output.token()) + '\n'
                << std::flush;
    });
  }
  in_a_child([&] {
    state.update([](counters& c) {
      c.jobs = 1'000'000;
      std::raise(SIGKILL);  // what it has done so far is nobody's
    });
  });
  int killed = 0;
  for (int status; wait(&status) > 0;) killed += WIFSIGNALED(status);

  const auto jobs = state.read([](const counters& c) { return c.jobs; });
  std::cout << "jobs: " << jobs << " of " << children * rounds << "\nkilled in a change: " << killed << '\n';
  return jobs == children * rounds && killed == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
