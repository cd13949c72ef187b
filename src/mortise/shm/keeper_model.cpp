// The keeper and its door under every schedule, with a lock in place of the one between processes (tests/explore/stand_in). Each opens with the
// bug that it would show. Not here: deaths, forks, and who goes first among those who come by themselves.
#include <mortise/shm/keeper.cpp>  // the stand-ins are found before what it includes

#include <chrono>

#include <explore/shared_section.hpp>
#include <explore/verify.hpp>

namespace {

using namespace std::chrono_literals;
using explore::require;
using explore::scoped_thread;
using mortise::outcome;
namespace shm = mortise::shm;

struct process {
  shm::outer_lock outer;
  shm::participants members;
  shm::keeper k{outer, members, {nullptr, "door"}};
  mortise::plain<int> inside{0};
  mortise::plain<int> passed{0};

  void section() {
    outer.begin_section(1);
    inside = inside + 1;
    require(inside == 1, "one holder at a time");
    inside = inside - 1;
    passed = passed + 1;
    outer.end_section();
  }
  void as_task() {
    k.arrive();
    k.the_door().lock();
    section();
    k.the_door().unlock();
    k.the_door().depart();
  }
  bool tries_as_task() {
    k.arrive();
    const bool had = k.try_lock();
    if (had) {
      section();
      k.the_door().unlock();
    }
    k.the_door().depart();
    return had;
  }
  void as_stranger() {
    outer.take();
    section();
    outer.release();
  }
};

// A keeper that goes to sleep as a task arrives; one that cannot be ended.
EXPLORE(keeper, a_task_has_its_turn, {.preemptions = 3, .deviations = 2}) {
  process p;
  p.as_task();
  require(p.passed == 1, "it came through");
}

// The second one to arrive relies on the ring of the first; the keeper starts twice.
EXPLORE(keeper, two_tasks_have_their_turn) {
  process p;
  scoped_thread other{"other", [&] { p.as_task(); }};
  p.as_task();
  other.join();
  require(p.passed == 2, "both came through");
}

// A task that comes again while the keeper closes.
EXPLORE(keeper, a_task_that_comes_again_has_its_turn, {.deviations = 2}) {
  process p;
  p.as_task();
  p.as_task();
  mortise::sleep_this_thread_until(mortise::now_ns() + 5'000'000);
  p.as_task();
  require(p.passed == 3, "each time");
}

// A keeper that is nudged as it goes to sleep, and keeps the lock; a task that is in without it.
EXPLORE(keeper, a_stranger_and_a_task_are_in_one_by_one) {
  process p;
  scoped_thread stranger{"stranger", [&] { p.as_stranger(); }};
  p.as_task();
  stranger.join();
  require(p.passed == 2, "both came through");
}

// A stranger who comes while the keeper lingers, at its beginning too, is seen neither at once nor at the first look.
EXPLORE(keeper, a_stranger_wakes_a_lingering_keeper, {.deviations = 0, .random_runs = 0}) {
  process p;
  p.as_task();
  const mortise::nanos since = mortise::now_ns();
  p.as_stranger();
  require(mortise::now_ns() - since <= 50'000, "it slept until the first look at most");
}

// The last task to go does not say so, and a stranger waits for the end of the tenure.
EXPLORE(keeper, the_last_task_lets_a_stranger_in, {.deviations = 0, .random_runs = 0}) {
  process p;
  mortise::nanos waited = 0;
  p.k.arrive();
  p.k.the_door().lock();
  scoped_thread stranger{"stranger", [&] {
                           const mortise::nanos since = mortise::now_ns();
                           p.as_stranger();
                           waited = mortise::now_ns() - since;
                         }};
  p.section();
  p.k.the_door().unlock();
  p.k.the_door().depart();
  stranger.join();
  require(waited < 1'000'000, "the tenure ended with its last task");
}

// Who only tries is not answered, or is told what is not so.
EXPLORE(keeper, a_try_is_answered) {
  process p;
  int got = 0;
  scoped_thread other{"other", [&] { p.as_task(); }};
  got = p.tries_as_task();
  other.join();
  require(p.passed == 1 + got, "who got it was inside");
}

// One who could have had it at once is refused.
EXPLORE(keeper, a_try_alone_gets_it, {.deviations = 0, .random_runs = 0}) {
  process p;
  require(p.tries_as_task(), "nobody else wants it");
  require(p.tries_as_task(), "nor now");
}

// A task that gives up leaves a keeper that waits for ever, or that nobody can end.
EXPLORE(keeper, a_task_that_gives_up_is_forgotten, {.random_runs = 1'000}) {
  process p;
  p.outer.take();
  p.k.arrive();
  require(p.k.the_door().lock(mortise::wait::bound{mortise::now_ns() + 1'000}) == outcome::timed_out,
          "the lock is taken");
  p.k.the_door().depart();
  p.outer.release();
}

// One who tried in vain goes as the keeper goes to sleep, and one who waits is taken for one who tries. It takes a stale value, so weak memory.
EXPLORE(keeper, a_try_in_vain_hides_nobody, {.tso = false, .spurious = false, .random_runs = 0}) {
  process p;
  p.outer.take();
  scoped_thread waits{"waits", [&] { p.as_task(); }};
  (void)p.tries_as_task();
  p.outer.release();
  waits.join();
}

}  // namespace
