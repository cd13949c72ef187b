// The same program in the idiomatic form: the map can only be reached under its lock.
#include <chrono>
#include <iostream>
#include <map>
#include <mortise/mortise.hpp>
#include <random>

using namespace std::chrono_literals;

int main() {
  mortise::guarded<std::map<int, int>> state;
  mortise::counter read_ops, write_ops;

  mortise::task_scope tasks;
  for (unsigned r = 0; r < 100; ++r) {
    tasks.go([&, random = std::minstd_rand(r)](std::stop_token stop) mutable {
      int total = 0;
      while (!stop.stop_requested()) {
        const int key = static_cast<int>(random() % 5);
        total += state.with([&](auto& map) { return map[key]; });
        ++read_ops;
        mortise::sleep_for(1ms);
      }
    });
  }
  for (unsigned w = 0; w < 10; ++w) {
    tasks.go([&, random = std::minstd_rand(1000 + w)](std::stop_token stop) mutable -> mortise::task<> {
      while (!stop.stop_requested()) {
        const int key = static_cast<int>(random() % 5), value = static_cast<int>(random() % 100);
        co_await state.async_with([&](auto& map) { map[key] = value; });
        ++write_ops;
        co_await mortise::async_sleep_for(1ms);
      }
    });
  }
  mortise::sleep_for(1s);
  tasks.stop_and_join();

  std::cout << "readOps: " << read_ops.value() << "\nwriteOps: " << write_ops.value() << "\nstate: map[";
  const char* gap = "";
  for (auto [key, value] : *state.lock()) {
    std::cout << gap << key << ':' << value;
    gap = " ";
  }
  std::cout << "]\n";
}
