// mortise itself: threads, fibers and coroutines on its locks. Its seed program is `mortise run`.

#include <mortise/base/version.hpp>
#include <mortise/lock/guarded.hpp>
#include <mortise/lock/shared_mutex.hpp>

#include <utility>

#include <bench/contender/mortise_insight.hpp>
#include <bench/contender/mortise_processes.hpp>
#include <bench/harness/contender.hpp>
#include <bench/kind/mortise_tasks.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/burst.hpp>
#include <bench/workload/condition.hpp>
#include <bench/workload/contended.hpp>
#include <bench/workload/footprint.hpp>
#include <bench/workload/hog.hpp>
#include <bench/workload/idle.hpp>
#include <bench/workload/mixed.hpp>
#include <bench/workload/read_mostly.hpp>
#include <bench/workload/rw_uncontended.hpp>
#include <bench/workload/sleep.hpp>
#include <bench/workload/switching.hpp>
#include <bench/workload/timeout_storm.hpp>
#include <bench/workload/try_for.hpp>
#include <bench/workload/uncontended.hpp>

namespace {

// A thread that sleeps with us.
struct threads : bench::threads<mortise::mutex> {
  static void sleep_for(std::chrono::nanoseconds d) { mortise::sleep_for(d); }
};

struct counting_coroutine {
  std::atomic<std::uint64_t>* ran;
  mortise::task<> operator()() const {
    ran->fetch_add(1, std::memory_order_relaxed);
    co_return;
  }
};

class board {
 public:
  template <class F>
  void await_turn(unsigned me, F f) {
    m_value.with_when(concerns(me), f);
  }
  template <class F>
  auto async_await_turn(unsigned me, F f) {
    return m_value.async_with_when(concerns(me), std::move(f));
  }
  template <class F>
  void change(F f) {
    m_value.with(f);
  }

 private:
  static auto concerns(unsigned me) {
    return [me](const bench::board_value& v) { return v.concerns(me); };
  }
  mortise::guarded<bench::board_value> m_value;
};

}  // namespace

int main(int argc, char** argv) {
  using fibers = bench::mortise_fibers;
  using coroutines = bench::mortise_coroutines;
  using sharing_threads = bench::threads<mortise::shared_mutex>;
  using sharing_fibers = bench::mortise_tasks<mortise::shared_mutex>;
  using sharing_coroutines = bench::mortise_tasks<mortise::shared_mutex, true>;
  bench::contender all{"mortise", MORTISE_VERSION};
  all.offers({"uncontended", "thread", bench::uncontended<threads>})
      .offers({"uncontended", "fiber", bench::uncontended<fibers>})
      .offers({"uncontended", "coroutine", bench::uncontended<coroutines>})
      .offers({"contended", "thread", bench::contended<threads>})
      .offers({"contended", "fiber", bench::contended<fibers>})
      .offers({"contended", "coroutine", bench::contended<coroutines>})
      .offers({"mixed", "mixed", bench::mixed})
      .offers({"burst", "thread", bench::burst<threads>})
      .offers({"burst", "fiber", bench::burst<fibers>})
      .offers({"burst", "coroutine", bench::burst<coroutines>})
      .offers({"hog", "thread", bench::hog<threads>})
      .offers({"hog", "fiber", bench::hog<fibers>})
      .offers({"hog", "coroutine", bench::hog<coroutines>})
      .offers({"switch", "fiber", bench::switching<fibers>})
      .offers({"switch", "coroutine", bench::switching<coroutines>})
      .offers({"spawn", "fiber", bench::spawning<fibers, bench::counting_task>})
      .offers({"spawn", "coroutine", bench::spawning<fibers, counting_coroutine>})
      .offers({"timer", "fiber", bench::timing<fibers>})
      .offers({"timer", "coroutine", bench::timing<coroutines>})
      .offers({"sleep", "thread", bench::sleeping<threads>})
      .offers({"sleep", "fiber", bench::sleeping<fibers>})
      .offers({"sleep", "coroutine", bench::sleeping<coroutines>})
      .offers({"footprint", "fiber", bench::footprint<fibers>})
      .offers({"footprint", "coroutine", bench::footprint<coroutines>})
      .offers({"idle", "mixed", bench::idle})
      .offers({"rw_uncontended", "thread", bench::rw_uncontended<sharing_threads>})
      .offers({"rw_uncontended", "fiber", bench::rw_uncontended<sharing_fibers>})
      .offers({"rw_uncontended", "coroutine", bench::rw_uncontended<sharing_coroutines>})
      .offers({"read_mostly", "thread", bench::read_mostly<sharing_threads>})
      .offers({"read_mostly", "fiber", bench::read_mostly<sharing_fibers>})
      .offers({"read_mostly", "coroutine", bench::read_mostly<sharing_coroutines>})
      .offers({"condition", "thread", bench::condition<threads, board>})
      .offers({"condition", "fiber", bench::condition<fibers, board>})
      .offers({"condition", "coroutine", bench::condition<coroutines, board>})
      .offers({"try_for", "thread", bench::try_for<threads>})
      .offers({"try_for", "fiber", bench::try_for<fibers>})
      .offers({"try_for", "coroutine", bench::try_for<coroutines>})
      .offers({"timeout_storm", "thread", bench::timeout_storm<threads>})
      .offers({"timeout_storm", "fiber", bench::timeout_storm<fibers>})
      .offers({"timeout_storm", "coroutine", bench::timeout_storm<coroutines>});
  offer_processes(all);
  offer_insight(all);
  return all.main(argc, argv);
}
