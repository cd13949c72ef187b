// mortise's locks and values that processes share, on threads and fibers.

#include <mortise/shm/guarded.hpp>
#include <mortise/shm/mutex.hpp>

#include <bench/contender/mortise_processes.hpp>
#include <bench/harness/shared_memory.hpp>
#include <bench/kind/mortise_tasks.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/processes_command.hpp>
#include <bench/workload/processes_contended.hpp>
#include <bench/workload/processes_takeover.hpp>
#include <bench/workload/processes_uncontended.hpp>
#include <bench/workload/processes_value.hpp>

namespace {

// Each process opens the region for itself, as it would under a name.
template <class Guarded>
class shm_lock {
 public:
  class handle {
   public:
    explicit handle(shm_lock& l)
        : m_guarded{*l.m_guarded}, m_mutex{mortise::shm::place::descriptor(l.m_made.where().descriptor())} {}
    void lock() { m_mutex.lock(); }
    void unlock() { m_mutex.unlock(); }
    Guarded& guarded() const { return m_guarded; }
    bool owner_died() { return m_mutex.owner_died(); }

   private:
    Guarded& m_guarded;
    mortise::shm::mutex m_mutex;
  };

 private:
  bench::shared_memory<Guarded> m_guarded;
  mortise::shm::mutex m_made{mortise::shm::place::anonymous()};
};

class shm_value {
 public:
  template <class F>
  void update(F f) {
    m_value.update(f);
  }
  template <class F>
  auto read(F f) {
    return m_value.read(f);
  }

 private:
  mortise::shm::guarded<bench::eight_numbers> m_value{mortise::shm::place::anonymous()};
};

}  // namespace

void offer_processes(bench::contender& c) {
  using threads = bench::threads<void>;
  using fibers = bench::mortise_tasks<void>;
  c.offers({"processes_uncontended", "thread", bench::processes_uncontended<threads, shm_lock>})
      .offers({"processes_uncontended", "fiber", bench::processes_uncontended<fibers, shm_lock>})
      .offers({"processes_update", "thread", bench::processes_update<threads, shm_value>})
      .offers({"processes_update", "fiber", bench::processes_update<fibers, shm_value>})
      .offers({"processes_read", "thread", bench::processes_read<threads, shm_value>})
      .offers({"processes_read", "fiber", bench::processes_read<fibers, shm_value>})
      .offers({"processes_contended", "thread", bench::processes_contended<threads, shm_lock>})
      .offers({"processes_contended", "fiber", bench::processes_contended<fibers, shm_lock>})
      .offers({"processes_takeover", "thread", bench::processes_takeover<threads, shm_lock>})
      .offers({"processes_takeover", "fiber", bench::processes_takeover<fibers, shm_lock>})
      .offers({"processes_command", "command", bench::processes_command});
}
