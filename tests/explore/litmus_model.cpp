// The explorer itself: the classic shapes, each with what x86 and what C++ allow of them. An explorer that is too strong would miss
// bugs, one that is too weak would invent them.
#include <stdexcept>

#include <explore/verify.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/futex.hpp>
#include <mortise/base/membarrier.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/spin.hpp>

namespace {

using explore::require;
using explore::scoped_thread;
using mortise::atomic;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

template <class F, class G>
void both(F f, G g) {
  scoped_thread other{"other", f};
  g();
  other.join();
}

// Store buffering: x86 and C++ let both loads miss both stores.
template <std::memory_order Store, std::memory_order Load>
void store_buffering() {
  atomic<int> x{0}, y{0};
  int a = -1, b = -1;
  both(
      [&] {
        x.store(1, Store);
        a = y.load(Load);
      },
      [&] {
        y.store(1, Store);
        b = x.load(Load);
      });
  require(a == 1 || b == 1, "one of two saw the other");
}
EXPLORE_FAULT(litmus, store_buffering_is_seen, "one of two saw") {
  store_buffering<memory_order_release, memory_order_acquire>();
}
EXPLORE(litmus, store_buffering_does_not_pass_seq_cst) {
  store_buffering<memory_order_seq_cst, memory_order_seq_cst>();
}
EXPLORE(litmus, store_buffering_does_not_pass_an_rmw_on_x86, {.weak = false}) {
  atomic<int> x{0}, y{0};
  int a = -1, b = -1;
  both(
      [&] {
        x.exchange(1, memory_order_relaxed);
        a = y.load(memory_order_relaxed);
      },
      [&] {
        y.exchange(1, memory_order_relaxed);
        b = x.load(memory_order_relaxed);
      });
  require(a == 1 || b == 1, "one of two saw the other");
}
EXPLORE(litmus, without_delays_there_is_no_store_buffering, {.deviations = 0, .random_runs = 0}) {
  store_buffering<memory_order_relaxed, memory_order_relaxed>();
}

// Message passing: x86 keeps stores in order and loads in order, C++ only by release and acquire.
template <std::memory_order Store, std::memory_order Load>
void message_passing() {
  atomic<int> data{0}, flag{0};
  int seen = 1;
  both(
      [&] {
        data.store(1, memory_order_relaxed);
        flag.store(1, Store);
      },
      [&] {
        if (flag.load(Load) == 1) seen = data.load(memory_order_relaxed);
      });
  require(seen == 1, "the flag brings the data");
}
EXPLORE(litmus, message_passing_holds_on_x86, {.weak = false}) {
  message_passing<memory_order_relaxed, memory_order_relaxed>();
}
EXPLORE(litmus, message_passing_holds_by_release_and_acquire) {
  message_passing<memory_order_release, memory_order_acquire>();
}
EXPLORE_FAULT(litmus, message_passing_needs_release, "brings the data", {.tso = false}) {
  message_passing<memory_order_relaxed, memory_order_acquire>();
}
EXPLORE_FAULT(litmus, message_passing_needs_acquire, "brings the data", {.tso = false}) {
  message_passing<memory_order_release, memory_order_relaxed>();
}

// The same with plain data: a race by the letter of C++, found in both memories.
template <std::memory_order Store, std::memory_order Load>
void publication() {
  atomic<int> flag{0};
  mortise::plain<int> data{0};
  both(
      [&] {
        data = 1;
        flag.store(1, Store);
      },
      [&] {
        if (flag.load(Load) == 1) require(data == 1, "data");
      });
}
EXPLORE(litmus, publication_by_release_and_acquire) {
  publication<memory_order_release, memory_order_acquire>();
}
EXPLORE_FAULT(litmus, publication_without_release_is_a_race, "data race") {
  publication<memory_order_relaxed, memory_order_acquire>();
}
EXPLORE_FAULT(litmus, publication_without_acquire_is_a_race, "data race") {
  publication<memory_order_release, memory_order_relaxed>();
}

// A read-modify-write between the two continues the release sequence, a store of another thread does not.
EXPLORE(litmus, an_rmw_continues_a_release_sequence) {
  atomic<int> flag{0};
  mortise::plain<int> data{0};
  scoped_thread middle{"middle", [&] {
                         int one = 1;
                         flag.compare_exchange_strong(one, 2, memory_order_relaxed, memory_order_relaxed);
                       }};
  both(
      [&] {
        data = 1;
        flag.store(1, memory_order_release);
      },
      [&] {
        if (flag.load(memory_order_acquire) == 2) require(data == 1, "data");
      });
}

// Independent reads of independent writes: all of x86 agrees on the order of stores; release and acquire do not.
template <std::memory_order Store, std::memory_order Load>
void independent_reads() {
  atomic<int> x{0}, y{0};
  int a = 0, b = 0, c = 0, d = 0;
  scoped_thread wx{"x", [&] { x.store(1, Store); }};
  scoped_thread wy{"y", [&] { y.store(1, Store); }};
  scoped_thread r{"r", [&] {
                    a = x.load(Load);
                    b = y.load(Load);
                  }};
  c = y.load(Load);
  d = x.load(Load);
  r.join();
  require(!(a == 1 && b == 0 && c == 1 && d == 0), "two agree on the order of two stores");
}
EXPLORE(litmus, x86_agrees_on_the_order_of_stores, {.weak = false}) {
  independent_reads<memory_order_release, memory_order_acquire>();
}
EXPLORE(litmus, seq_cst_agrees_on_the_order_of_stores) {
  independent_reads<memory_order_seq_cst, memory_order_seq_cst>();
}
EXPLORE_FAULT(litmus, acquire_does_not_agree_on_the_order_of_stores, "two agree",
              {.deviations = 2, .tso = false}) {
  independent_reads<memory_order_release, memory_order_acquire>();
}

// Coherence: of one location nobody sees an older value after a newer one.
EXPLORE(litmus, one_location_is_coherent, {.deviations = 2}) {
  atomic<int> x{0};
  int a = 0, b = 0;
  both(
      [&] {
        x.store(1, memory_order_relaxed);
        x.store(2, memory_order_relaxed);
      },
      [&] {
        a = x.load(memory_order_relaxed);
        b = x.load(memory_order_relaxed);
      });
  require(a <= b, "values of one location are seen in their order");
}

// The asymmetric Dekker: a compiler fence on one side, membarrier on the other.
template <class Barrier>
void asymmetric(Barrier barrier) {
  atomic<int> x{0}, y{0};
  int a = -1, b = -1;
  both(
      [&] {
        x.store(1, memory_order_relaxed);
        mortise::compiler_fence();
        a = y.load(memory_order_relaxed);
      },
      [&] {
        y.store(1, memory_order_relaxed);
        barrier();
        b = x.load(memory_order_relaxed);
      });
  require(a == 1 || b == 1, "one of two saw the other");
}
EXPLORE(litmus, membarrier_makes_up_for_the_other_sides_fence, {.deviations = 2}) {
  asymmetric([] { mortise::membarrier(); });
}
EXPLORE_FAULT(litmus, a_fence_on_one_side_does_not, "one of two saw", {.deviations = 2}) {
  asymmetric([] { explore::memory::instance().fence_seq_cst(); });
}

// Lost wakes, races, touches after free: what the explorer is for.
EXPLORE_FAULT(litmus, a_lost_wake_is_told, "nobody can go on: .*sleeps in a futex") {
  atomic<std::uint32_t> word{0};
  both(
      [&] {
        mortise::futex_wake(word, 1);
        word.store(1);
      },
      [&] {
        while (word.load() == 0) mortise::futex_wait(word, 0, mortise::never);
      });
}
EXPLORE(litmus, a_wake_after_the_store_is_not_lost) {
  atomic<std::uint32_t> word{0};
  both(
      [&] {
        word.store(1);
        mortise::futex_wake(word, 1);
      },
      [&] {
        while (word.load() == 0) mortise::futex_wait(word, 0, mortise::never);
      });
}
EXPLORE_FAULT(litmus, a_touch_after_free_is_told, "of an object that was freed|not ordered after") {
  auto* const flag = new atomic<int>{0};
  both(
      [=] {
        flag->store(1, memory_order_release);
        flag->load(memory_order_relaxed);
      },
      [=] {
        if (flag->load(memory_order_acquire) == 1) delete flag;
      });
}
EXPLORE(litmus, a_store_as_the_last_touch_is_fine) {
  auto* const flag = new atomic<int>{0};
  both([=] { flag->store(1, memory_order_release); },
       [=] {
         while (flag->load(memory_order_acquire) != 1) explore::await_change();
         delete flag;
       });
}
EXPLORE_FAULT(litmus, a_deadlock_of_os_mutexes_is_told,
              "waits for an OS mutex.*waits for an OS mutex|joins") {
  mortise::os_mutex a, b;
  both(
      [&] {
        a.lock();
        b.lock();
        b.unlock();
        a.unlock();
      },
      [&] {
        b.lock();
        a.lock();
        a.unlock();
        b.unlock();
      });
}
EXPLORE_FAULT(litmus, a_loop_that_makes_no_progress_is_told, "no end after") {
  atomic<int> x{0};
  while (x.load() == 0) x.exchange(0);
}
EXPLORE_FAULT(litmus, an_exception_out_of_a_thread_is_told, "left thread 'main': out") {
  throw std::runtime_error("out");
}
EXPLORE(litmus, a_spin_ends_when_what_it_reads_changes) {
  atomic<int> x{0};
  int turns = 0;
  both([&] { x.store(1, memory_order_relaxed); },
       [&] {
         while (x.load(memory_order_relaxed) == 0) mortise::spin_for_another(turns);
       });
}
EXPLORE(litmus, sleepers_wake_in_the_order_of_their_deadlines, {.deviations = 0}) {
  int order = 0, first = 0, second = 0;
  const auto start = mortise::now_ns();
  both(
      [&] {
        mortise::sleep_this_thread_until(start + 2000);
        second = ++order;
      },
      [&] {
        mortise::sleep_this_thread_until(start + 1000);
        first = ++order;
      });
  require(first == 1 && second == 2 && mortise::now_ns() >= start + 2000, "in order");
}
EXPLORE(litmus, nested_spawns_and_three_counters_add_up, {.preemptions = 3}) {
  atomic<int> n{0};
  scoped_thread a{"a", [&] {
                    scoped_thread b{"b", [&] { n.fetch_add(1); }};
                    n.fetch_add(1);
                  }};
  n.fetch_add(1);
  a.join();
  require(n.load() == 3, "three");
}
EXPLORE_FAULT(litmus, an_increment_in_two_steps_loses, "two") {
  atomic<int> n{0};
  both([&] { n.store(n.load() + 1); }, [&] { n.store(n.load() + 1); });
  require(n.load() == 2, "two");
}

// A preemption bound of 0 sees only what happens without any: so bounds mean what they say.
EXPLORE(litmus, without_preemptions_the_same_is_not_seen,
        {.preemptions = 0, .deviations = 0, .random_runs = 0, .as_is = true}) {
  atomic<int> n{0};
  both([&] { n.store(n.load() + 1); }, [&] { n.store(n.load() + 1); });
  require(n.load() == 2, "two");
}

}  // namespace
