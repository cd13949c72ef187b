// Uses each part of an installed mortise: threads, fibers and coroutines on one mutex.
#include <cstdio>
#include <mutex>
#include <thread>

#include <mortise/mortise.hpp>

constinit mortise::mutex m;
int behind_the_mutex = 0;

int main() {
  mortise::counter beside;
  mortise::guarded<int> guarded{0};
  {
    mortise::task_scope tasks;
    for (int i = 0; i < 10; ++i) {
      tasks.go([&] {
        mortise::yield();
        {
          std::lock_guard hold{m};
          ++behind_the_mutex;
        }
        guarded.with([](int& n) { ++n; });
        ++beside;
      });
      tasks.go([&]() -> mortise::task<void> {
        {
          auto hold = co_await m.async_lock();
          ++behind_the_mutex;
        }
        ++beside;
      });
    }
    std::thread{[&] {
      std::lock_guard hold{m};
      ++behind_the_mutex;
      ++beside;
    }}.join();
    tasks.join();
  }
  std::printf("%d %d %d\n", behind_the_mutex, static_cast<int>(beside.value()),
              guarded.read([](const int& n) { return n; }));
  return behind_the_mutex == 21 && beside.value() == 21 ? 0 : 1;
}
