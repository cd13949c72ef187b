// Calls that block, made from tasks: the workers go on with others.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mortise/mortise.hpp>
#include <string>
#include <thread>

using namespace std::chrono_literals;

// A library's function that knows nothing of tasks and blocks the thread that calls it.
std::string look_up(const std::string& name) {
  std::this_thread::sleep_for(20ms);
  return name + ".example";
}

int main() {
  mortise::runtime one_worker{{.workers = 1}};
  mortise::task_scope tasks{one_worker};
  std::atomic<bool> waiting{true};
  int beats = 0;

  tasks.go([&] {
    mortise::this_task::name("looks up");
    std::string a = mortise::blocking([] { return look_up("fiber"); });
    std::printf("%s\n", a.c_str());
  });
  tasks.go([&]() -> mortise::task<> {
    std::string b = co_await mortise::async_blocking([] { return look_up("coroutine"); });
    std::printf("%s\n", b.c_str());
    waiting = false;
  });
  tasks.go([&] {
    while (waiting) {
      mortise::sleep_for(1ms);
      beats++;
    }
  });

  tasks.join();
  std::printf("%s\n", beats > 1 ? "the worker went on meanwhile" : "the worker stood still");
  return beats > 1 ? 0 : 1;
}
