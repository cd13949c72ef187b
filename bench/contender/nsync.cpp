// nsync_mu on threads.

#include <nsync.h>

#include <bench/harness/contender.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/burst.hpp>
#include <bench/workload/contended.hpp>
#include <bench/workload/hog.hpp>
#include <bench/workload/uncontended.hpp>

namespace {

class mutex {
 public:
  void lock() { nsync::nsync_mu_lock(&m_mutex); }
  void unlock() { nsync::nsync_mu_unlock(&m_mutex); }

 private:
  nsync::nsync_mu m_mutex = NSYNC_MU_INIT;
};

}  // namespace

int main(int argc, char** argv) {
  using threads = bench::threads<mutex>;
  return bench::contender{"nsync", MORTISE_BENCH_NSYNC_VERSION}
      .offers({"uncontended", "thread", bench::uncontended<threads>})
      .offers({"contended", "thread", bench::contended<threads>})
      .offers({"burst", "thread", bench::burst<threads>})
      .offers({"hog", "thread", bench::hog<threads>})
      .main(argc, argv);
}
