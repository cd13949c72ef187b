// absl::Mutex on threads.

#include <absl/base/config.h>
#include <absl/synchronization/mutex.h>

#include <string>

#include <bench/harness/contender.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/burst.hpp>
#include <bench/workload/contended.hpp>
#include <bench/workload/hog.hpp>
#include <bench/workload/uncontended.hpp>

namespace {

class mutex {
 public:
  void lock() { m_mutex.Lock(); }
  void unlock() { m_mutex.Unlock(); }

 private:
  absl::Mutex m_mutex;
};

}  // namespace

int main(int argc, char** argv) {
  using threads = bench::threads<mutex>;
  return bench::contender{"absl", std::to_string(ABSL_LTS_RELEASE_VERSION)}
      .offers({"uncontended", "thread", bench::uncontended<threads>})
      .offers({"contended", "thread", bench::contended<threads>})
      .offers({"burst", "thread", bench::burst<threads>})
      .offers({"hog", "thread", bench::hog<threads>})
      .main(argc, argv);
}
