// migration [all|few]: fibers and coroutines that suspend in every way; how many of them go on on another worker.
#include <cstdio>
#include <mutex>
#include <string_view>
#include <thread>

#include <mortise/mortise.hpp>
#include <mortise/task/forced_migration.hpp>

namespace {

using namespace std::chrono_literals;

struct counts {
  mortise::counter suspended, moved;
  void add(std::thread::id before) {
    ++suspended;
    if (here() != before) ++moved;
  }
  // Never inlined: the thread's number may be kept across a suspension otherwise.
  [[gnu::noinline]] static std::thread::id here() noexcept {
    asm volatile("" ::: "memory");
    return std::this_thread::get_id();
  }
};

// The parker wakes itself up before it sleeps: no suspension then. So only ways that always suspend are counted.
void fiber(counts& c) {
  for (int i = 0; i < 100; ++i) {
    auto before = counts::here();
    mortise::yield();
    c.add(before);
    before = counts::here();
    mortise::sleep_for(20us);
    c.add(before);
  }
}

mortise::task<> coroutine(counts& c) {
  for (int i = 0; i < 100; ++i) {
    auto before = counts::here();
    co_await mortise::async_yield();
    c.add(before);
    before = counts::here();
    co_await mortise::async_sleep_for(20us);
    c.add(before);
  }
}

}  // namespace

int main(int argc, char** argv) {
  counts c;
  mortise::mutex m;
  std::uint64_t sections = 0;
  for (unsigned workers : {2u, 3u}) {
    mortise::runtime rt{{.workers = workers}};
    mortise::task_scope tasks{rt};
    for (int i = 0; i < 4; ++i) {
      tasks.go([&] { fiber(c); });
      tasks.go([&]() -> mortise::task<> { return coroutine(c); });
      tasks.go([&] {  // a holder that migrates while others wait
        for (int k = 0; k < 50; ++k) {
          const std::lock_guard hold{m};
          ++sections;
          mortise::yield();
        }
      });
    }
    tasks.join();
  }
  using mortise::task_detail::migrations;
  const std::uint64_t suspended = c.suspended.value(), moved = c.moved.value(),
                      back = migrations::taken_back.load();
  std::printf("%llu of %llu suspensions ended on another worker, %llu tasks were taken by none\n",
              static_cast<unsigned long long>(moved), static_cast<unsigned long long>(suspended),
              static_cast<unsigned long long>(back));
  if (sections != 2 * 4 * 50) return 1;
  const std::string_view what = argc > 1 ? argv[1] : "";
  // A worker that has no core for `tray::bound` may leave some where they were; they are counted apart.
  if (what == "all" && (moved + back < suspended || moved < suspended / 2)) return 1;
  if (what == "few" && moved > suspended / 2) return 1;
  return 0;
}
