// mortise itself: threads, fibers and coroutines on mortise::mutex.

#include <mortise/base/version.hpp>

#include "../harness/contender.hpp"
#include "../kind/mortise_tasks.hpp"
#include "../kind/threads.hpp"
#include "../workload/contended.hpp"
#include "../workload/uncontended.hpp"

int main(int argc, char** argv) {
  using threads = bench::threads<mortise::mutex>;
  using fibers = bench::mortise_fibers;
  using coroutines = bench::mortise_coroutines;
  return bench::contender{"mortise", MORTISE_VERSION}
      .offers({"uncontended", "thread", bench::uncontended<threads>})
      .offers({"uncontended", "fiber", bench::uncontended<fibers>})
      .offers({"uncontended", "coroutine", bench::uncontended<coroutines>})
      .offers({"contended", "thread", bench::contended<threads>})
      .offers({"contended", "fiber", bench::contended<fibers>})
      .offers({"contended", "coroutine", bench::contended<coroutines>})
      .main(argc, argv);
}
