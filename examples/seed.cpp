// A hundred readers and ten writers share a map behind a mutex.
#include <chrono>
#include <iostream>
#include <map>
#include <mortise/mortise.hpp>
#include <mutex>
#include <random>
#include <utility>

using namespace std::chrono_literals;

int main() {
  std::map<int, int> state;
  mortise::mutex mutex;
  mortise::counter readOps, writeOps;
  mortise::task_scope tasks;

  for (int r = 0; r < 100; r++) {
    tasks.go([&, random = std::minstd_rand(r)](std::stop_token stop) mutable {
      int total = 0;
      while (!stop.stop_requested()) {
        int key = random() % 5;
        { std::lock_guard hold{mutex}; total += state.contains(key) ? state[key] : 0; }
        readOps++;
        mortise::sleep_for(1ms);
      }
    });
  }
  for (int w = 0; w < 10; w++) {
    tasks.go([&, random = std::minstd_rand(1000 + w)](std::stop_token stop) mutable {
      while (!stop.stop_requested()) {
        int key = random() % 5, val = random() % 100;
        { std::lock_guard hold{mutex}; state[key] = val; }
        writeOps++;
        mortise::sleep_for(1ms);
      }
    });
  }

  mortise::sleep_for(1s);
  tasks.stop_and_join();
  std::cout << "readOps: " << readOps.value() << "\nwriteOps: " << writeOps.value() << "\nstate: map[";
  for (const char* gap = ""; auto [key, val] : state) std::cout << std::exchange(gap, " ") << key << ':' << val;
  std::cout << "]\n";
}
