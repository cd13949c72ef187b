// Everything at once, for MORTISE_STRESS_SECONDS (2), from a seed that is printed: threads, fibers and coroutines lock, try,
// time out, sleep and yield under the lock, migrate and end, on several runtimes. Nothing may be lost and nothing may hang, and who is told to
// hold the lock does, in the rounds in which that is written down, and in those in which it begins and ends meanwhile.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include <mortise/lock/holder.hpp>
#include <mortise/lock/holder_table.hpp>
#include <mortise/mortise.hpp>
#include <support/lock_probe.hpp>

namespace {

using namespace std::chrono_literals;

// Whether somebody else is told to hold what the caller holds.
bool is_slandered(const mortise::mutex& m) {
  const auto told = mortise::lock_detail::holder_of(&m);
  return told && told->who != nullptr && told->who != &mortise::wait::this_context().self();
}

TEST(mixed_stress, nothing_is_lost_and_nothing_hangs) {
  const char* const wanted = std::getenv("MORTISE_STRESS_SECONDS");
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::seconds(wanted != nullptr ? std::atoi(wanted) : 2);
  const char* const given = std::getenv("MORTISE_STRESS_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device{}();
  std::cout << "MORTISE_STRESS_SEED=" << seed << std::endl;
  std::mt19937 random(seed);

  unsigned rounds = 0;
  std::uint64_t locked = 0;
  std::atomic<std::uint64_t> slandered{0};
  while (std::chrono::steady_clock::now() < end) {
    mortise::runtime rt{{.workers = 1 + static_cast<unsigned>(random() % 4), .name = "stress"}};
    mortise::mutex m;
    std::uint64_t n = 0;  // guarded by m
    mortise::counter expected;
    const std::jthread watcher{[way = random() % 3](const std::stop_token& over) {
      while (way != 0 && !over.stop_requested()) {
        mortise::lock_detail::keep_holders();
        do std::this_thread::sleep_for(1ms);
        while (way == 1 && !over.stop_requested());
        mortise::lock_detail::forget_holders();
      }
    }};
    {
      mortise::task_scope tasks{rt};
      const unsigned fibers = random() % 60, coroutines = random() % 60, threads = random() % 4,
                     turns = 50 + random() % 300;
      const unsigned spice = random();
      auto blocking = [&](unsigned i) {
        std::minstd_rand own(spice + i);
        for (unsigned k = 0; k < turns; ++k) {
          bool mine = true;
          switch (own() % 4) {
            case 0: mine = m.try_lock(); break;
            case 1: mine = m.try_lock_for(std::chrono::microseconds(own() % 100)); break;
            default: m.lock();
          }
          if (!mine) continue;
          ++n;
          ++expected;
          if (is_slandered(m)) ++slandered;
          if (own() % 64 == 0) mortise::sleep_for(std::chrono::microseconds(own() % 50));
          if (own() % 64 == 0) mortise::yield();
          m.unlock();
          if (own() % 32 == 0) mortise::sleep_for(std::chrono::microseconds(own() % 200));
        }
      };
      for (unsigned i = 0; i < fibers; ++i) tasks.go([&, i] { blocking(i); });
      for (unsigned i = 0; i < coroutines; ++i) {
        tasks.go([&, i]() -> mortise::task<> {
          std::minstd_rand own(spice + 1000 + i);
          for (unsigned k = 0; k < turns; ++k) {
            {
              const auto hold = co_await m.async_lock();
              ++n;
              ++expected;
              if (is_slandered(m)) ++slandered;
              if (own() % 64 == 0) co_await mortise::async_sleep_for(std::chrono::microseconds(own() % 50));
              if (own() % 64 == 0) mortise::sleep_for(1us);  // blocks in the middle of a step
            }
            if (own() % 32 == 0) co_await mortise::async_yield();
          }
        });
      }
      std::vector<std::jthread> plain;
      for (unsigned i = 0; i < threads; ++i) plain.emplace_back([&, i] { blocking(2000 + i); });
      plain.clear();
      tasks.join();
    }
    ASSERT_EQ(n, expected.value()) << "round " << rounds;
    ASSERT_EQ(mortise::lock_probe::waiters(m), 0u);
    ASSERT_EQ(slandered, 0u) << "round " << rounds;
    locked += n;
    ++rounds;
  }
  std::cout << rounds << " rounds, " << locked << " sections" << std::endl;
}

}  // namespace
