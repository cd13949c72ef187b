// oneTBB's tbb::mutex, which waits asleep like the others on threads.

#include <oneapi/tbb/mutex.h>
#include <oneapi/tbb/version.h>

#include <bench/harness/contender.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/burst.hpp>
#include <bench/workload/contended.hpp>
#include <bench/workload/hog.hpp>
#include <bench/workload/uncontended.hpp>

namespace {

using oneapi::tbb::mutex;

}  // namespace

int main(int argc, char** argv) {
  using threads = bench::threads<mutex>;
  return bench::contender{"tbb", TBB_runtime_version()}
      .offers({"uncontended", "thread", bench::uncontended<threads>})
      .offers({"contended", "thread", bench::contended<threads>})
      .offers({"burst", "thread", bench::burst<threads>})
      .offers({"hog", "thread", bench::hog<threads>})
      .main(argc, argv);
}
