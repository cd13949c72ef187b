// A small job queue that uses the whole family: threads, fibers and coroutines take jobs from one queue, at most two work on a job at a time,
// all look at settings that are sometimes changed, and what everybody needs is loaded once.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <mortise/mortise.hpp>
#include <mutex>
#include <shared_mutex>
#include <thread>

namespace {

using namespace std::chrono_literals;

constexpr int jobs = 300;
constexpr int parties = 3;

mortise::guarded<std::deque<int>> queue;
constinit mortise::counting_semaphore<> at_work{2};
constinit mortise::shared_mutex settings_lock;
int factor = 1;  // a setting, behind settings_lock
constinit mortise::once_flag loaded;
int table = 0;  // written once
mortise::latch ready{parties};
std::atomic<long> sum{0};

constexpr auto filled = [](const std::deque<int>& q) { return !q.empty(); };
constexpr auto take = [](std::deque<int>& q) {
  const int job = q.front();
  q.pop_front();
  return job;
};

void load() { table = 2; }

// For a thread or a fiber; ends when stop is requested and nothing is left.
void work(std::stop_token stop) {
  mortise::call_once(loaded, load);
  ready.arrive_and_wait();
  while (const auto job = queue.with_when_or_stop(stop, filled, take)) {
    at_work.acquire();
    {
      const std::shared_lock look{settings_lock};
      sum += *job.value * table * factor;
    }
    at_work.release();
  }
}

mortise::task<> work_as_coroutine(std::stop_token stop) {
  co_await mortise::async_call_once(loaded, load);
  ready.count_down();
  co_await ready.async_wait();
  for (;;) {
    const auto job = co_await queue.async_with_when_or_stop(stop, filled, take);
    if (!job) break;
    co_await at_work.async_acquire();
    {
      const auto look = co_await settings_lock.async_lock_shared();
      sum += *job.value * table * factor;
    }
    at_work.release();
  }
}

}  // namespace

int main() {
  {
    std::jthread thread(work);
    mortise::task_scope tasks;
    tasks.go(work);
    tasks.go(work_as_coroutine);
    for (int i = 1; i <= jobs; ++i) {
      queue.with([i](std::deque<int>& q) { q.push_back(i); });
      if (settings_lock.try_lock_for(10ms)) {  // a change that changes nothing
        factor = 1;
        settings_lock.unlock();
      }
    }
    queue.wait([](const std::deque<int>& q) { return q.empty(); });
    tasks.stop_and_join();
  }  // stops and joins the thread
  constexpr long expected = 2L * jobs * (jobs + 1) / 2;
  std::cout << "sum: " << sum << "\nexpected: " << expected << '\n';
  return sum == expected ? EXIT_SUCCESS : EXIT_FAILURE;
}
