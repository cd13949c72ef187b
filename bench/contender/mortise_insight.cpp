// The parts of insight that can be switched on and off, on threads, fibers and coroutines. The watch for deadlocks cannot: once begun it stays.

#include <mortise/insight/dump.hpp>
#include <mortise/insight/profile.hpp>
#include <mortise/insight/trace.hpp>

#include <bench/contender/mortise_insight.hpp>
#include <bench/kind/mortise_tasks.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/insight.hpp>

namespace {

namespace insight = mortise::insight;

// A thread that sleeps with us.
struct threads : bench::threads<mortise::mutex> {
  static void sleep_for(std::chrono::nanoseconds d) { mortise::sleep_for(d); }
};

struct profile {
  static void on() { insight::profile::start(); }
  static void off() { insight::profile::stop(); }
};
struct waits {
  static void on() { insight::watch_waits(insight::stacks::left_out); }
  static void off() { insight::ignore_waits(insight::stacks::left_out); }
};
struct stacks {
  static void on() { insight::watch_waits(insight::stacks::kept); }
  static void off() { insight::ignore_waits(insight::stacks::kept); }
};
// With room for two slices: a trace that is full costs next to nothing.
struct trace {
  static void on() { insight::trace::start({.most_events = 4'000'000}); }
  static void off() { insight::trace::stop(); }
};

template <class Part>
void offer(bench::contender& c, const char* workload) {
  c.offers({workload, "thread", bench::insight<threads, Part>})
      .offers({workload, "fiber", bench::insight<bench::mortise_fibers, Part>})
      .offers({workload, "coroutine", bench::insight<bench::mortise_coroutines, Part>});
}

}  // namespace

void offer_insight(bench::contender& c) {
  offer<profile>(c, "insight_profile");
  offer<waits>(c, "insight_waits");
  offer<stacks>(c, "insight_stacks");
  offer<trace>(c, "insight_trace");
}
