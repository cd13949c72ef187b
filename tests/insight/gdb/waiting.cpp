// What gdb is to find: tasks and threads of every kind that wait in a known order, for ever. gdb stops where all have come; with an
// argument the program ends there, by SIGABRT. In the environment: whether holders are written down.
#include <support/family_probe.hpp>
#include <support/lock_probe.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mortise/lock/holder_table.hpp>
#include <mortise/mortise.hpp>
#include <mutex>
#include <thread>

namespace {

using mortise::family_probe;
using mortise::lock_probe;
using std::chrono_literals::operator""h;
namespace this_task = mortise::this_task;

constinit mortise::mutex door;
constinit mortise::mutex cellar;
mortise::shared_mutex shelf;
mortise::counting_semaphore<> permits{0};
mortise::guarded<int> state{42};
std::atomic<bool> spins{false};

[[gnu::noinline]] void knock() {
  const std::lock_guard hold{door};
  std::abort();
}

[[gnu::noinline]] mortise::task<int> enter() {
  const auto hold = co_await door.async_lock();
  co_return 1;
}

[[gnu::noinline]] mortise::task<> visit() {
  const int entered = co_await enter();
  std::exit(entered);
}

[[gnu::noinline]] void spin() {
  spins = true;
  while (spins) mortise::cpu_relax();
}

[[gnu::noinline]] void all_wait(const mortise::task<int>& never_awaited, bool leave_a_core) {
  if (leave_a_core) std::abort();
  asm volatile("" ::"r"(&never_awaited) : "memory");
}

template <class Condition>
void until(Condition holds) {
  while (!holds()) std::this_thread::yield();
}

// Blocks of tasks come in slabs of 1,024: the tasks that follow have some of the second, and some of the first.
void fill_a_slab(mortise::task_scope& tasks) {
  std::atomic<bool> all_are_made{false};
  tasks.go([&] {
    while (!all_are_made) mortise::cpu_relax();
  });
  for (int i = 0; i < 1030; ++i) tasks.go([] {});
  all_are_made = true;
  tasks.join();
}

void three_at_the_door(mortise::task_scope& tasks, std::jthread& third) {
  tasks.go([] {
    this_task::name("first");
    knock();
  });
  until([] { return lock_probe::waiters(door) == 1; });
  tasks.go([]() -> mortise::task<> {
    this_task::name("second");
    co_await visit();
  });
  until([] { return lock_probe::waiters(door) == 2; });
  third = std::jthread{knock};
  until([] { return lock_probe::waiters(door) == 3; });
}

// One that runs, and one that its worker does not come to.
void keep_busy(mortise::task_scope& tasks) {
  tasks.go([] {
    this_task::name("spins");
    spin();
  });
  until([] { return spins.load(); });
  tasks.go([] { spin(); });
}

void wait_for_other_things(mortise::task_scope& tasks) {
  tasks.go([] {
    this_task::name("in the cellar");
    const std::lock_guard hold{cellar};
    mortise::sleep_for(1h);
  });
  tasks.go([]() -> mortise::task<> {
    this_task::name("sleeps");
    co_await mortise::async_sleep_for(1h);
  });
  tasks.go([]() -> mortise::task<> {
    this_task::name("blocks");
    mortise::sleep_for(1h);
    co_return;
  });
  tasks.go([] {
    this_task::name("wants 43");
    state.with_when([](const int& n) { return n == 43; }, [](int&) {});
  });
  tasks.go([] {
    this_task::name("acquires");
    permits.acquire();
  });
  tasks.go([] {
    this_task::name("reads");
    shelf.lock_shared();
  });
  // There is but one worker: who is suspended last has seen all others go.
  until([] { return family_probe::waiters(shelf) == 1; });
}

}  // namespace

int main(int argc, char**) {
  if (std::getenv("WAITING_IS_WATCHED") != nullptr) mortise::lock_detail::keep_holders();
  mortise::runtime quiet{{.workers = 1}}, busy{{.workers = 1}};
  mortise::task_scope waiting{quiet}, running{busy};
  std::jthread third;
  fill_a_slab(waiting);
  door.lock();
  shelf.lock();
  three_at_the_door(waiting, third);
  keep_busy(running);
  wait_for_other_things(waiting);
  all_wait(enter(), argc > 1);
  return EXIT_FAILURE;  // gdb ends the program before
}
