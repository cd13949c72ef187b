// Boost.Interprocess' interprocess_mutex on threads. It is not robust: who waits for one whose holder was killed waits for
// ever, so that there is no takeover to measure.

#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/version.hpp>
#include <string>

#include <bench/harness/contender.hpp>
#include <bench/harness/shared_memory.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/processes_contended.hpp>
#include <bench/workload/processes_uncontended.hpp>
#include <bench/workload/processes_value.hpp>

namespace {

template <class Guarded>
class boost_lock {
  struct both {
    boost::interprocess::interprocess_mutex mutex;
    Guarded guarded{};
  };
  bench::shared_memory<both> m_both;

 public:
  class handle {
   public:
    explicit handle(boost_lock& l) : m_both{*l.m_both} {}
    void lock() { m_both.mutex.lock(); }
    void unlock() { m_both.mutex.unlock(); }
    Guarded& guarded() const { return m_both.guarded; }

   private:
    both& m_both;
  };
};

}  // namespace

int main(int argc, char** argv) {
  using threads = bench::threads<void>;
  using value = bench::value_under<boost_lock>;
  std::string version = BOOST_LIB_VERSION;  // 1_74
  version.replace(version.find('_'), 1, ".");
  return bench::contender{MORTISE_BENCH_CONTENDER, version}
      .offers({"processes_uncontended", "thread", bench::processes_uncontended<threads, boost_lock>})
      .offers({"processes_update", "thread", bench::processes_update<threads, value>})
      .offers({"processes_read", "thread", bench::processes_read<threads, value>})
      .offers({"processes_contended", "thread", bench::processes_contended<threads, boost_lock>})
      .main(argc, argv);
}
