#include <mutex>

#include <mortise/mortise.hpp>

// From a thread, a fiber and a coroutine of this shared object, `n` times each.
__attribute__((visibility("default"))) void SIDE(mortise::mutex& m, long& sum, int n) {
  mortise::task_scope tasks;
  tasks.go([&, n] {
    for (int i = 0; i < n; ++i) {
      std::lock_guard hold{m};
      ++sum;
    }
  });
  tasks.go([&, n]() -> mortise::task<void> {
    for (int i = 0; i < n; ++i) {
      auto hold = co_await m.async_lock();
      ++sum;
    }
  });
  for (int i = 0; i < n; ++i) {
    std::lock_guard hold{m};
    ++sum;
  }
  tasks.join();
}
