// planted WHAT: a program with one fault planted in its fibers, or the same program without it. What a sanitizer does not
// report here it would not report in anybody's fibers. tests/sanitizers/CMakeLists.txt says what is expected of each.
#include <atomic>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include <mortise/mortise.hpp>

namespace {

// Two fibers, each on a worker of its own: a fiber goes on only when it has seen the other on another thread. All relaxed,
// so that meeting orders nothing: a sanitizer that took our scheduling for synchronisation would find no race.
class meeting {
 public:
  void attend(unsigned who) noexcept {
    m_thread[who].store(std::hash<std::thread::id>{}(std::this_thread::get_id()), std::memory_order_relaxed);
    while (m_thread[1 - who].load(std::memory_order_relaxed) == 0) {}
  }
  // 0 goes first: at the very same moment the two accesses might both miss each other in the sanitizer's tables.
  void wait_for_turn(unsigned who) const noexcept {
    while (who == 1 && !m_first_is_done.load(std::memory_order_relaxed)) {}
  }
  void turn_is_over() noexcept { m_first_is_done.store(true, std::memory_order_relaxed); }

  bool on_two_threads() const noexcept { return m_thread[0].load() != m_thread[1].load(); }

 private:
  std::atomic<std::size_t> m_thread[2] = {0, 0};
  std::atomic<bool> m_first_is_done{false};
};

enum class order { in_turn, at_once };

// Runs `f(0)` and `f(1)` in fibers that have met. False: they met on one thread, and nothing was shown.
template <class F>
bool in_two_fibers(F f, order o = order::in_turn) {
  mortise::runtime rt{{.workers = 2}};
  meeting m;
  {
    mortise::task_scope tasks{rt};
    for (unsigned who : {0u, 1u}) {
      tasks.go([&, who] {
        m.attend(who);
        if (o == order::in_turn) m.wait_for_turn(who);
        f(who);
        m.turn_is_over();
      });
    }
    tasks.join();
  }
  return m.on_two_threads();
}

template <class F>
bool in_a_fiber(F f) {
  mortise::runtime rt{{.workers = 2}};
  mortise::task_scope tasks{rt};
  tasks.go([&] {
    f();
    mortise::sleep_for(std::chrono::microseconds(100));  // its stack has been left and come back to
    f();
  });
  tasks.join();
  return true;
}

template <class F>
bool in_two_coroutines(F f) {
  mortise::runtime rt{{.workers = 2}};
  meeting m;
  {
    mortise::task_scope tasks{rt};
    for (unsigned who : {0u, 1u}) {
      tasks.go([&, who]() -> mortise::task<> {
        co_await mortise::async_yield();
        m.attend(who);
        m.wait_for_turn(who);
        f(who);
        m.turn_is_over();
      });
    }
    tasks.join();
  }
  return m.on_two_threads();
}

// A fiber and an OS thread.
template <class F>
bool in_a_fiber_and_a_thread(F f) {
  mortise::runtime rt{{.workers = 1}};
  meeting m;
  auto party = [&](unsigned who) {
    m.attend(who);
    m.wait_for_turn(who);
    f(who);
    m.turn_is_over();
  };
  mortise::task_scope tasks{rt};
  tasks.go([&] { party(0); });
  party(1);
  tasks.join();
  return m.on_two_threads();
}

int shared_number = 0;

[[gnu::noinline]] void raced(unsigned) { ++shared_number; }

// As in_two_coroutines, but the lock is waited for as coroutines do: 0 holds it when 1 comes, which is resumed by the unlock.
bool async_locked(bool really) {
  mortise::runtime rt{{.workers = 2}};
  mortise::mutex m;
  meeting meet;
  {
    mortise::task_scope tasks{rt};
    for (unsigned who : {0u, 1u}) {
      tasks.go([&, who, really]() -> mortise::task<> {
        meet.attend(who);
        if (really) {
          const auto hold = co_await m.async_lock();
          raced(who);
          co_await mortise::async_sleep_for(std::chrono::milliseconds(1));
        } else {
          meet.wait_for_turn(who);
          raced(who);
        }
        meet.turn_is_over();
      });
    }
    tasks.join();
  }
  return meet.on_two_threads();
}

template <class Mutex>
void locked(unsigned who) {
  static Mutex m;
  const std::lock_guard hold{m};
  raced(who);
}

// The same lock, taken and given back in turns, so that waiting and waking order the sections too.
void locked_often(unsigned who) {
  static mortise::mutex m;
  for (int i = 0; i < 2000; ++i) {
    const std::lock_guard hold{m};
    raced(who);
    if (i % 100 == 0) mortise::yield();
  }
}

// Excludes, but publishes nothing: what a lock with a weakened ordering would be.
struct relaxed_lock {
  std::atomic<bool> held{false};
  void lock() {
    while (held.exchange(true, std::memory_order_relaxed)) std::this_thread::yield();
  }
  void unlock() { held.store(false, std::memory_order_relaxed); }
};

volatile unsigned beyond = 40;  // volatile: the compiler must not see that these are out of range
volatile unsigned within = 4;

[[gnu::noinline]] void write_at(unsigned index) {
  char array[32];
  std::memset(array, 0, sizeof array);
  volatile char* const p = array;
  p[index] = 1;
}

[[gnu::noinline]] volatile int* leak_a_local(bool really) {
  static int outlives = 0;
  int local = 1;
  volatile int* address = really ? &local : &outlives;
  asm volatile("" : "+r"(address));  // the compiler must not see where it points
  return address;
}

[[gnu::noinline]] void read_after_return(bool really) { static_cast<void>(*leak_a_local(really)); }

[[gnu::noinline]] void read_freed(bool really) {
  auto owned = std::make_unique<int>(1);
  volatile int* p = owned.get();
  asm volatile("" : "+r"(p));  // the compiler must not see that this is freed
  if (really) owned.reset();
  mortise::yield();
  static_cast<void>(*p);
}

[[gnu::noinline]] void branch_on(const volatile int* p) {
  if (*p == 42) std::puts("42");
}

[[gnu::noinline]] void use_unset(bool really) {
  volatile int local[4];
  if (!really) local[2] = 0;
  mortise::yield();
  const volatile int* p = local + 2;
  asm volatile("" : "+r"(p));  // the compiler must not see that this is unset
  branch_on(p);
}

[[gnu::noinline]] void shift_by(unsigned bits) {
  volatile int one = 1;
  volatile int result = one << bits;
  static_cast<void>(result);
}

// Leaves red zones behind unless whoever unwinds is known to be on this stack.
[[gnu::noinline]] void throw_from(unsigned depth) {
  char array[64] = {};
  asm volatile("" : : "r"(array) : "memory");
  if (depth == 0) throw depth;
  throw_from(depth - 1);
  asm volatile("" : : "r"(array) : "memory");  // no tail call
}

[[gnu::noinline]] void catch_thrown() {
  try {
    throw_from(16);
  } catch (unsigned) {
    mortise::yield();
  }
  write_at(within);
}

struct plan {
  std::string_view name;
  bool (*run)();
};

constexpr plan plans[] = {
    {"race", [] { return in_two_fibers(raced); }},
    {"race_locked", [] { return in_two_fibers(locked<mortise::mutex>); }},
    {"race_locked_often", [] { return in_two_fibers(locked_often, order::at_once); }},
    {"race_relaxed_lock", [] { return in_two_fibers(locked<relaxed_lock>); }},
    {"coroutine_race", [] { return in_two_coroutines(raced); }},
    {"coroutine_race_locked", [] { return in_two_coroutines(locked<mortise::mutex>); }},
    {"coroutine_race_async", [] { return async_locked(false); }},
    {"coroutine_race_async_locked", [] { return async_locked(true); }},
    {"thread_race", [] { return in_a_fiber_and_a_thread(raced); }},
    {"thread_race_locked", [] { return in_a_fiber_and_a_thread(locked<mortise::mutex>); }},
    {"overflow", [] { return in_a_fiber([] { write_at(beyond); }); }},
    {"overflow_not", [] { return in_a_fiber([] { write_at(within); }); }},
    {"use_after_return", [] { return in_a_fiber([] { read_after_return(true); }); }},
    {"use_after_return_not", [] { return in_a_fiber([] { read_after_return(false); }); }},
    {"use_after_free", [] { return in_a_fiber([] { read_freed(true); }); }},
    {"use_after_free_not", [] { return in_a_fiber([] { read_freed(false); }); }},
    {"thrown_not", [] { return in_a_fiber(catch_thrown); }},
    {"unset", [] { return in_a_fiber([] { use_unset(true); }); }},
    {"unset_not", [] { return in_a_fiber([] { use_unset(false); }); }},
    {"shift", [] { return in_a_fiber([] { shift_by(beyond); }); }},
    {"shift_not", [] { return in_a_fiber([] { shift_by(within); }); }},
};

}  // namespace

int main(int argc, char** argv) {
  for (const plan& p : plans) {
    if (argc != 2 || p.name != argv[1]) continue;
    if (!p.run()) {
      std::fputs("planted: both ran on one thread\n", stderr);
      return 3;
    }
    std::puts("planted: came to its end");
    return 0;
  }
  std::fputs("usage: planted WHAT\n", stderr);
  return 2;
}
