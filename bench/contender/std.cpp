// std::mutex and its kin on threads; and in one of our fibers, where nobody else wants it: what a fiber's ratio is taken
// against, since two cores of a shared machine differ by more than two mutexes do.
//
// The same file is built once more as contender-control: how far its figures are from std's is how far this
// benchmark can be wrong about two equal mutexes.

#include <gnu/libc-version.h>

#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <string>

#include <bench/harness/contender.hpp>
#include <bench/kind/mortise_tasks.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/burst.hpp>
#include <bench/workload/condition.hpp>
#include <bench/workload/contended.hpp>
#include <bench/workload/hog.hpp>
#include <bench/workload/read_mostly.hpp>
#include <bench/workload/rw_uncontended.hpp>
#include <bench/workload/seed.hpp>
#include <bench/workload/sleep.hpp>
#include <bench/workload/switching.hpp>
#include <bench/workload/timeout_storm.hpp>
#include <bench/workload/try_for.hpp>
#include <bench/workload/uncontended.hpp>

int main(int argc, char** argv) {
  using threads = bench::threads<std::mutex>;
  using in_a_fiber = bench::mortise_tasks<std::mutex>;
  using sharing = bench::threads<std::shared_mutex>;
  using shared_in_a_fiber = bench::mortise_tasks<std::shared_mutex>;
  using timed = bench::threads<std::timed_mutex>;
  using board = bench::notify_all_board<std::mutex, std::condition_variable>;
  return bench::contender{MORTISE_BENCH_CONTENDER, std::string{"glibc "} + gnu_get_libc_version()}
      .offers({"uncontended", "thread", bench::uncontended<threads>})
      .offers({"uncontended", "fiber", bench::uncontended<in_a_fiber>})
      .offers({"contended", "thread", bench::contended<threads>})
      .offers({"burst", "thread", bench::burst<threads>})
      .offers({"hog", "thread", bench::hog<threads>})
      .offers({"seed", "thread", bench::seed<threads>})
      .offers({"switch", "thread", bench::switching<threads>})
      .offers({"spawn", "thread", bench::spawning<threads, bench::counting_task>})
      .offers({"sleep", "thread", bench::sleeping<threads>})
      .offers({"rw_uncontended", "thread", bench::rw_uncontended<sharing>})
      .offers({"rw_uncontended", "fiber", bench::rw_uncontended<shared_in_a_fiber>})
      .offers({"read_mostly", "thread", bench::read_mostly<sharing>})
      .offers({"condition", "thread", bench::condition<threads, board>})
      .offers({"try_for", "thread", bench::try_for<timed>})
      .offers({"timeout_storm", "thread", bench::timeout_storm<timed>})
      .main(argc, argv);
}
