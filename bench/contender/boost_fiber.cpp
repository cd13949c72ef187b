// Boost.Fiber: its fibers on its mutexes. It has none that readers share.

#include <boost/fiber/condition_variable.hpp>
#include <boost/fiber/timed_mutex.hpp>
#include <boost/version.hpp>

#include <bench/harness/contender.hpp>
#include <bench/kind/boost_fibers.hpp>
#include <bench/workload/burst.hpp>
#include <bench/workload/condition.hpp>
#include <bench/workload/contended.hpp>
#include <bench/workload/footprint.hpp>
#include <bench/workload/hog.hpp>
#include <bench/workload/seed.hpp>
#include <bench/workload/sleep.hpp>
#include <bench/workload/switching.hpp>
#include <bench/workload/timeout_storm.hpp>
#include <bench/workload/try_for.hpp>
#include <bench/workload/uncontended.hpp>

namespace {

void spawning(bench::keys& given, bench::json_line& line) {
  given.count("workers", 1, 1, 1);  // boost_fibers::spawn_and_join
  bench::spawning<bench::boost_fibers, bench::counting_task>(given, line);
}

struct timed_fibers : bench::boost_fibers {
  using mutex = boost::fibers::timed_mutex;
};

}  // namespace

int main(int argc, char** argv) {
  using fibers = bench::boost_fibers;
  using board = bench::notify_all_board<boost::fibers::mutex, boost::fibers::condition_variable>;
  return bench::contender{"boost_fiber", BOOST_LIB_VERSION}
      .offers({"uncontended", "fiber", bench::uncontended<fibers>})
      .offers({"contended", "fiber", bench::contended<fibers>})
      .offers({"burst", "fiber", bench::burst<fibers>})
      .offers({"hog", "fiber", bench::hog<fibers>})
      .offers({"seed", "fiber", bench::seed<fibers>})
      .offers({"switch", "fiber", bench::switching<fibers>})
      .offers({"spawn", "fiber", spawning})
      .offers({"timer", "fiber", bench::timing<fibers>})
      .offers({"sleep", "fiber", bench::sleeping<fibers>})
      .offers({"footprint", "fiber", bench::footprint<fibers>})
      .offers({"condition", "fiber", bench::condition<fibers, board>})
      .offers({"try_for", "fiber", bench::try_for<timed_fibers>})
      .offers({"timeout_storm", "fiber", bench::timeout_storm<timed_fibers>})
      .main(argc, argv);
}
