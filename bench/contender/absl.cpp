// absl::Mutex on threads; its readers and its conditions too.

#include <absl/base/config.h>
#include <absl/synchronization/mutex.h>

#include <string>

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
  void lock() { m_mutex.Lock(); }
  void unlock() { m_mutex.Unlock(); }
  void lock_shared() { m_mutex.ReaderLock(); }
  void unlock_shared() { m_mutex.ReaderUnlock(); }

 private:
  absl::Mutex m_mutex;
};

class board {
 public:
  template <class F>
  void await_turn(unsigned me, F f) {
    ticket mine{&m_value, me};
    m_mutex.LockWhen(absl::Condition(+[](ticket* t) { return t->value->concerns(t->number); }, &mine));
    f(m_value);
    m_mutex.Unlock();
  }
  template <class F>
  void change(F f) {
    const absl::MutexLock hold{&m_mutex};
    f(m_value);
  }

 private:
  struct ticket {
    const bench::board_value* value;
    unsigned number;
  };
  absl::Mutex m_mutex;
  bench::board_value m_value;
};

}  // namespace

int main(int argc, char** argv) {
  using threads = bench::threads<mutex>;
  return bench::contender{"absl", std::to_string(ABSL_LTS_RELEASE_VERSION)}
      .offers({"uncontended", "thread", bench::uncontended<threads>})
      .offers({"contended", "thread", bench::contended<threads>})
      .offers({"burst", "thread", bench::burst<threads>})
      .offers({"hog", "thread", bench::hog<threads>})
      .offers({"rw_uncontended", "thread", bench::rw_uncontended<threads>})
      .offers({"read_mostly", "thread", bench::read_mostly<threads>})
      .offers({"condition", "thread", bench::condition<threads, board>})
      .main(argc, argv);
}
