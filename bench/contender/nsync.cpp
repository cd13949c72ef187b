// nsync_mu on threads; its readers and its conditions too.

#include <nsync.h>

#include <bench/harness/contender.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/burst.hpp>
#include <bench/workload/condition.hpp>
#include <bench/workload/contended.hpp>
#include <bench/workload/hog.hpp>
#include <bench/workload/read_mostly.hpp>
#include <bench/workload/rw_uncontended.hpp>
#include <bench/workload/uncontended.hpp>

namespace {

class mutex {
 public:
  void lock() { nsync::nsync_mu_lock(&m_mutex); }
  void unlock() { nsync::nsync_mu_unlock(&m_mutex); }
  void lock_shared() { nsync::nsync_mu_rlock(&m_mutex); }
  void unlock_shared() { nsync::nsync_mu_runlock(&m_mutex); }

 private:
  nsync::nsync_mu m_mutex = NSYNC_MU_INIT;
};

class board {
 public:
  template <class F>
  void await_turn(unsigned me, F f) {
    const ticket mine{&m_value, me};
    nsync::nsync_mu_lock(&m_mutex);
    nsync::nsync_mu_wait(&m_mutex, concerns, &mine, nullptr);
    f(m_value);
    nsync::nsync_mu_unlock(&m_mutex);
  }
  template <class F>
  void change(F f) {
    nsync::nsync_mu_lock(&m_mutex);
    f(m_value);
    nsync::nsync_mu_unlock(&m_mutex);
  }

 private:
  struct ticket {
    const bench::board_value* value;
    unsigned number;
  };
  static int concerns(const void* of) {
    const auto& t = *static_cast<const ticket*>(of);
    return t.value->concerns(t.number);
  }
  nsync::nsync_mu m_mutex = NSYNC_MU_INIT;
  bench::board_value m_value;
};

}  // namespace

int main(int argc, char** argv) {
  using threads = bench::threads<mutex>;
  return bench::contender{"nsync", MORTISE_BENCH_NSYNC_VERSION}
      .offers({"uncontended", "thread", bench::uncontended<threads>})
      .offers({"contended", "thread", bench::contended<threads>})
      .offers({"burst", "thread", bench::burst<threads>})
      .offers({"hog", "thread", bench::hog<threads>})
      .offers({"rw_uncontended", "thread", bench::rw_uncontended<threads>})
      .offers({"read_mostly", "thread", bench::read_mostly<threads>})
      .offers({"condition", "thread", bench::condition<threads, board>})
      .main(argc, argv);
}
