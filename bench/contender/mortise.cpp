// mortise itself: threads, fibers and coroutines on mortise::mutex. Its seed program is `mortise run`.

#include <mortise/base/version.hpp>

#include <bench/harness/contender.hpp>
#include <bench/kind/mortise_tasks.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/burst.hpp>
#include <bench/workload/contended.hpp>
#include <bench/workload/footprint.hpp>
#include <bench/workload/hog.hpp>
#include <bench/workload/idle.hpp>
#include <bench/workload/mixed.hpp>
#include <bench/workload/sleep.hpp>
#include <bench/workload/switching.hpp>
#include <bench/workload/uncontended.hpp>

namespace {

// A thread that sleeps with us.
struct threads : bench::threads<mortise::mutex> {
  static void sleep_for(std::chrono::nanoseconds d) { mortise::sleep_for(d); }
};

struct counting_coroutine {
  std::atomic<std::uint64_t>* ran;
  mortise::task<> operator()() const {
    ran->fetch_add(1, std::memory_order_relaxed);
    co_return;
  }
};

}  // namespace

int main(int argc, char** argv) {
  using fibers = bench::mortise_fibers;
  using coroutines = bench::mortise_coroutines;
  return bench::contender{"mortise", MORTISE_VERSION}
      .offers({"uncontended", "thread", bench::uncontended<threads>})
      .offers({"uncontended", "fiber", bench::uncontended<fibers>})
      .offers({"uncontended", "coroutine", bench::uncontended<coroutines>})
      .offers({"contended", "thread", bench::contended<threads>})
      .offers({"contended", "fiber", bench::contended<fibers>})
      .offers({"contended", "coroutine", bench::contended<coroutines>})
      .offers({"mixed", "mixed", bench::mixed})
      .offers({"burst", "thread", bench::burst<threads>})
      .offers({"burst", "fiber", bench::burst<fibers>})
      .offers({"burst", "coroutine", bench::burst<coroutines>})
      .offers({"hog", "thread", bench::hog<threads>})
      .offers({"hog", "fiber", bench::hog<fibers>})
      .offers({"hog", "coroutine", bench::hog<coroutines>})
      .offers({"switch", "fiber", bench::switching<fibers>})
      .offers({"switch", "coroutine", bench::switching<coroutines>})
      .offers({"spawn", "fiber", bench::spawning<fibers, bench::counting_task>})
      .offers({"spawn", "coroutine", bench::spawning<fibers, counting_coroutine>})
      .offers({"timer", "fiber", bench::timing<fibers>})
      .offers({"timer", "coroutine", bench::timing<coroutines>})
      .offers({"sleep", "thread", bench::sleeping<threads>})
      .offers({"sleep", "fiber", bench::sleeping<fibers>})
      .offers({"sleep", "coroutine", bench::sleeping<coroutines>})
      .offers({"footprint", "fiber", bench::footprint<fibers>})
      .offers({"footprint", "coroutine", bench::footprint<coroutines>})
      .offers({"idle", "mixed", bench::idle})
      .main(argc, argv);
}
