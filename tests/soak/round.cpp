#include "round.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace soak {
namespace {

// Never freed: who leaves last still wakes the conductor, who may be on the way already.
crowd& the_unjoined() {
  static crowd& c = *new crowd;
  return c;
}

void plant_a_bug(round& r, plant p, mortise::task_scope& tasks) {
  if (p == plant::hang) {
    std::atomic<bool> held{false};
    tasks.go([&held] {
      const seat place{kind::fiber};
      the_ledger()[0].lock().lock();
      the_ledger()[0].enter(*place);
      (*place).announce(act::sleep_while_holding, 0);
      held.store(true);
      mortise::sleep_for(std::chrono::hours{1});
    });
    while (!held.load()) std::this_thread::yield();
  } else if (p == plant::lost) {
    tasks.go([&r] {
      while (!r.over()) the_ledger()[0].update_without_the_lock();
    });
  } else if (p == plant::leak) {
    constexpr std::size_t much = 16 << 20;
    auto* const lost = new std::vector<char>(much, 'x');
    asm volatile("" : : "r"(lost->data()) : "memory");
  }
}

}  // namespace

void run_round(const round_plan& plan, totals& counted, station& conductor, plant planted) {
  {
    std::optional<mortise::runtime> runtime{
        std::in_place, mortise::runtime_options{.workers = plan.workers, .name = "soak"}};
    foreign_loop loop;
    round r{plan, counted, *runtime, loop, the_unjoined()};
    std::deque<relay> relays;
    {
      mortise::task_scope tasks{*runtime};
      std::vector<std::jthread> threads;
      conductor.announce(act::let_a_round_run);
      plant_a_bug(r, planted, tasks);
      unsigned n = 0;
      for (unsigned i = 0; i < plan.threads; ++i, ++n) {
        threads.emplace_back([&r, n] { blocking_party(r, kind::thread, n); });
      }
      for (unsigned i = 0; i < plan.fibers; ++i, ++n)
        tasks.go([&r, n] { blocking_party(r, kind::fiber, n); });
      for (unsigned i = 0; i < plan.tasks; ++i, ++n) {
        tasks.go([&r, n]() -> mortise::task<> { return task_party(r, n); });
      }
      for (unsigned i = 0; i < plan.foreigners; ++i, ++n) start_foreign_party(r, n);
      for (unsigned i = 0; i < plan.relays; ++i) {
        relay& one = relays.emplace_back(r, plan.cells + i);
        threads.emplace_back([&one] { one.thread_party(); });
        one.start();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{plan.length_ms});
      r.stopped.store(true, std::memory_order_relaxed);
      conductor.announce(act::join_threads);
      threads.clear();
      conductor.announce(act::join_tasks);
      tasks.join();
    }
    conductor.announce(act::join_detached);
    r.unjoined.wait_until_empty();
    conductor.announce(act::close_the_runtime);
    runtime.reset();
  }
  the_board().run_late_jobs();
  the_ledger().balance(counted);
}

}  // namespace soak
