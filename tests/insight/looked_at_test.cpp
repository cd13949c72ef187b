// Whoever looks on changes nothing: all kinds of parties, which come and go, meet at all kinds of locks while everything that looks on is switched on and off.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <sstream>
#include <thread>
#include <vector>

#include <mortise/insight/dump.hpp>
#include <mortise/insight/profile.hpp>
#include <mortise/insight/trace.hpp>
#include <mortise/mortise.hpp>

namespace {

using namespace std::chrono_literals;
namespace insight = mortise::insight;

// What they meet at, and what each lock guards.
struct place {
  mortise::mutex m;
  mortise::shared_mutex s;
  mortise::counting_semaphore<> one{1};
  mortise::guarded<long> g{0};
  long in_m = 0, in_s = 0, in_one = 0;

  // The visits that were not given up.
  long sum() {
    return in_m + in_s + in_one + g.read([](long n) { return n; });
  }
};

// How many they counted.
long stay(auto& lock, long& in_it) {
  const std::lock_guard hold{lock};
  ++in_it;
  mortise::yield();
  return 1;
}
long stay_if_soon(auto& lock, long& in_it) {
  if (!lock.try_lock_for(50us)) return 0;
  ++in_it;
  lock.unlock();
  return 1;
}

// By a thread or a fiber; the number says by which way. How many it counted.
long visit(place& p, unsigned way) {
  switch (way % 8) {
    case 0: return stay(p.m, p.in_m);
    case 1: return stay_if_soon(p.m, p.in_m);
    case 2: return stay(p.s, p.in_s);
    case 3: return stay_if_soon(p.s, p.in_s);
    case 4: {
      const std::shared_lock look{p.s};
      mortise::yield();
      return 0;
    }
    case 5:
      p.one.acquire();
      ++p.in_one;
      mortise::yield();
      p.one.release();
      return 1;
    case 6:
      if (!p.one.try_acquire_for(50us)) return 0;
      ++p.in_one;
      p.one.release();
      return 1;
    default: p.g.with([](long& n) { ++n; }); return 1;
  }
}

mortise::task<> visit_as_coroutine(place& p, unsigned way, std::atomic<long>& counted) {
  switch (way % 4) {
    case 0: {
      const auto hold = co_await p.m.async_lock();
      ++p.in_m;
      co_await mortise::async_yield();
      break;
    }
    case 1: {
      const auto hold = co_await p.s.async_lock();
      ++p.in_s;
      break;
    }
    case 2:
      if (!co_await p.one.async_try_acquire_for(50us)) co_return;
      ++p.in_one;
      p.one.release();
      break;
    default: co_await p.g.async_with([](long& n) { ++n; });
  }
  ++counted;
}

// Until the end, and off at the end.
void look_on(const std::stop_token& over, unsigned which) {
  while (!over.stop_requested()) {
    switch (which) {
      case 0: insight::dump(); break;
      case 1:
        insight::watch_waits();
        std::this_thread::sleep_for(1ms);
        insight::ignore_waits();
        std::this_thread::sleep_for(500us);
        break;
      case 2:
        insight::profile::start();
        std::this_thread::sleep_for(1ms);
        insight::profile::places();
        insight::profile::stop();
        break;
      default: {
        insight::trace::start({.most_events = 20'000});
        std::this_thread::sleep_for(1ms);
        insight::trace::stop();
        std::ostringstream to;
        insight::trace::write(to);
      }
    }
  }
}

// The bugs: a waiter is lost, or woken who does not wait, or a lock has two holders.
TEST(looked_at, parties_of_all_kinds_lose_nothing) {
  place p;
  std::atomic<long> counted{0};
  mortise::runtime r{{.workers = 2}};
  mortise::task_scope tasks{r};
  std::vector<std::jthread> lookers;
  for (const unsigned which : {0u, 0u, 0u, 1u, 2u, 3u})
    lookers.emplace_back([which](const std::stop_token& over) { look_on(over, which); });
  constexpr unsigned rounds = 60, crowd = 24;
  for (unsigned round = 0; round < rounds; ++round) {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 2; ++i)
      threads.emplace_back([&, i] {
        for (unsigned k = 0; k < 8; ++k) counted += visit(p, round + i + k);
      });
    for (unsigned i = 0; i < crowd; ++i) {
      tasks.go([&, i] { counted += visit(p, i); });
      if (i % 2 == 0) tasks.go([&, i] { return visit_as_coroutine(p, i / 2, counted); });
    }
    tasks.join();
  }
  lookers.clear();
  EXPECT_EQ(p.sum(), counted);
}

}  // namespace
