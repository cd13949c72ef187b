// Threads, fibers and coroutines on one mutex and one counter: nothing is lost.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <mortise/mortise.hpp>
#include <mutex>
#include <thread>
#include <vector>

namespace {

constexpr int threads = 4;
constexpr int fibers = 100;
constexpr int coroutines = 100;
constexpr std::uint64_t rounds = 1000;

constinit mortise::mutex m;        // 8 bytes, needs no initialisation at run time
std::uint64_t behind_the_mutex;    // a plain integer: the mutex is all that protects it
constinit mortise::counter beside; // exact once all are joined

void blocking_rounds() {
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const std::lock_guard hold{m};
    ++behind_the_mutex;
    ++beside;
  }
}

mortise::task<> awaiting_rounds() {
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const auto hold = co_await m.async_lock();
    ++behind_the_mutex;
    ++beside;
  }
}

}  // namespace

int main() {
  {
    mortise::task_scope tasks;
    for (int i = 0; i < fibers; ++i) tasks.go(blocking_rounds);
    for (int i = 0; i < coroutines; ++i) tasks.go(awaiting_rounds);
    std::vector<std::jthread> others;
    for (int i = 0; i < threads; ++i) others.emplace_back(blocking_rounds);
    others.clear();  // joins
    tasks.join();
  }
  constexpr std::uint64_t expected = (threads + fibers + coroutines) * rounds;
  std::cout << "behind the mutex: " << behind_the_mutex << "\nbeside it: " << beside.value()
            << "\nexpected: " << expected << '\n';
  return behind_the_mutex == expected && beside.value() == expected ? EXIT_SUCCESS : EXIT_FAILURE;
}
