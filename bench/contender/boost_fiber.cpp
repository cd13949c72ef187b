// Boost.Fiber: its fibers on its mutex.

#include <boost/version.hpp>

#include <bench/harness/contender.hpp>
#include <bench/kind/boost_fibers.hpp>
#include <bench/workload/burst.hpp>
#include <bench/workload/contended.hpp>
#include <bench/workload/footprint.hpp>
#include <bench/workload/hog.hpp>
#include <bench/workload/seed.hpp>
#include <bench/workload/sleep.hpp>
#include <bench/workload/switching.hpp>
#include <bench/workload/uncontended.hpp>

namespace {

void spawning(bench::keys& given, bench::json_line& line) {
  given.count("workers", 1, 1, 1);  // boost_fibers::spawn_and_join
  bench::spawning<bench::boost_fibers, bench::counting_task>(given, line);
}

}  // namespace

int main(int argc, char** argv) {
  using fibers = bench::boost_fibers;
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
      .main(argc, argv);
}
