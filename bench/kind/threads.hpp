#pragma once

// OS threads as parties, on a mutex of the standard's shape.

#include <chrono>
#include <thread>
#include <vector>

namespace bench {

template <class Mutex>
struct threads {
  using mutex = Mutex;
  static constexpr bool awaits = false;  // whether a party is a coroutine
  static constexpr bool is_thread = true;

  // Calls body(0) .. body(parties - 1), each in a party of its own, meanwhile on the caller, and returns when all have
  // ended. A thread needs no worker.
  template <class Body, class Meanwhile>
  static void run(unsigned parties, unsigned /*workers*/, Body body, Meanwhile meanwhile) {
    std::vector<std::thread> all;
    for (unsigned i = 0; i < parties; ++i) all.emplace_back([&body, i] { body(i); });
    meanwhile();
    for (std::thread& t : all) t.join();
  }

  template <class Task>
  static void spawn_and_join(unsigned count, Task task) {
    std::vector<std::thread> all;
    all.reserve(count);
    for (unsigned i = 0; i < count; ++i) all.emplace_back(task);
    for (std::thread& t : all) t.join();
  }

  static void yield() { std::this_thread::yield(); }
  static void sleep_for(std::chrono::nanoseconds d) { std::this_thread::sleep_for(d); }
};

}  // namespace bench
