// mortise::lock in a program without exceptions and without run-time type information.
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include <mortise/lock/guarded.hpp>
#include <mortise/lock/mutex.hpp>

constinit mortise::mutex m;

int main() {
  int sum = 0;
  mortise::guarded<int> other{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        {
          std::lock_guard hold{m};
          ++sum;
        }
        other.with([](int& n) { ++n; });
      }
    });
  }
  for (std::thread& t : threads) t.join();
  if (!m.try_lock_for(std::chrono::milliseconds{1})) return 2;
  m.unlock();
  return sum == 40'000 && other.read([](const int& n) { return n; }) == 40'000 ? 0 : 1;
}
