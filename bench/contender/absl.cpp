// absl::Mutex on threads.

#include <absl/base/config.h>
#include <absl/synchronization/mutex.h>

#include <string>

#include "../harness/contender.hpp"
#include "../kind/threads.hpp"
#include "../workload/burst.hpp"
#include "../workload/contended.hpp"
#include "../workload/hog.hpp"
#include "../workload/uncontended.hpp"

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
