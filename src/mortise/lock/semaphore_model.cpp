// The semaphore under every schedule: OS threads on their futex, and coroutines that are no tasks of ours. Each opens with the bug that it
// would show.
#include <mortise/lock/semaphore.hpp>

#include <chrono>
#include <stop_token>

#include <explore/shared_section.hpp>
#include <explore/verify.hpp>
#include <mortise/base/os_thread.hpp>
#include <support/foreign.hpp>

namespace {

using namespace std::chrono_literals;
using explore::require;
using explore::scoped_thread;
using mortise::outcome;
using semaphore = mortise::counting_semaphore<>;

void let_pass(mortise::nanos d) { mortise::sleep_this_thread_until(mortise::now_ns() + d); }

// One permit keeps all others out, as a mutex does.
struct one_permit {
  semaphore permits{1};
  void lock() { permits.acquire(); }
  void unlock() { permits.release(); }
};
using section = explore::shared_section<one_permit>;

// A stop request between two moments that the explorer sees; it does not see those of the standard library's.
void request(std::stop_source& stop, mortise::atomic<int>& seen) {
  seen.fetch_add(1);
  stop.request_stop();
  seen.fetch_add(1);
}

void must_have(semaphore& s, int permits) {
  for (int i = 0; i < permits; ++i) require(s.try_acquire(), "no permit is lost");
  require(!s.try_acquire(), "no permit is made up");
}

foreign::coroutine as_coroutine(semaphore& s, foreign::manual_executor& where, int& got) {
  co_await s.async_acquire(&where);
  ++got;
}

// Two with one permit; who takes it does not see what its last owner wrote; a wake that is lost.
EXPLORE(semaphore, two_threads_share_one_permit, {.preemptions = 3, .deviations = 2}) {
  section s;
  scoped_thread a{"a", [&] { s.lock_and_pass(); }};
  s.lock_and_pass();
  a.join();
  require(s.passed == 2, "both came through");
}
// The same where it is there at once, and nobody queues.
EXPLORE(semaphore, a_permit_that_is_there_is_taken_at_once, {.preemptions = 3}) {
  semaphore s{0};
  mortise::plain<int> written{0};
  scoped_thread a{"a", [&] {
                    written = 1;
                    s.release();
                  }};
  if (s.try_acquire()) require(written == 1, "what was before the release is seen");
  a.join();
}
EXPLORE(semaphore, three_threads_share_one_permit) {
  section s;
  scoped_thread a{"a", [&] { s.lock_and_pass(); }};
  scoped_thread b{"b", [&] { s.lock_and_pass(); }};
  s.lock_and_pass();
  a.join();
  b.join();
  require(s.passed == 3, "all came through");
}

// Two releases wake the same one twice, or the second finds the first at work and wakes nobody.
EXPLORE(semaphore, two_releases_and_two_waiters) {
  semaphore s{0};
  scoped_thread a{"a", [&] { s.acquire(); }};
  scoped_thread b{"b", [&] { s.acquire(); }};
  scoped_thread c{"c", [&] { s.release(); }};
  s.release();
  a.join();
  b.join();
  c.join();
  must_have(s, 0);
}

// One release of two permits wakes one waiter only.
EXPLORE(semaphore, one_release_for_two_waiters, {.preemptions = 3}) {
  semaphore s{0};
  mortise::plain<int> written{0};
  scoped_thread a{"a", [&] {
                    s.acquire();
                    require(written == 1, "what was before the release is seen");
                  }};
  scoped_thread b{"b", [&] {
                    s.acquire();
                    require(written == 1, "what was before the release is seen");
                  }};
  written = 1;
  s.release(2);
  a.join();
  b.join();
  must_have(s, 0);
}

// A waiter whose deadline comes just as it is told takes the wake with it.
EXPLORE(semaphore, timed_out_waiter_passes_its_wake_on, {.deviations = 1}) {
  semaphore s{0};
  bool got = false;
  scoped_thread timed{"timed", [&] { got = s.try_acquire_for(2ms); }};
  scoped_thread patient{"patient", [&] { s.acquire(); }};
  s.release();
  let_pass(1'000'000);
  s.release();
  timed.join();
  patient.join();
  must_have(s, got ? 0 : 1);
}

// Of a grant, a deadline and a stop request two happen, or none.
EXPLORE(semaphore, a_wait_ends_in_one_way, {.deviations = 2, .random_runs = 10'000}) {
  semaphore s{0};
  std::stop_source stop;
  mortise::atomic<int> seen{0};
  outcome how{};
  scoped_thread waiter{"waiter", [&] { how = s.acquire_or_stop(stop.get_token(), 2ms); }};
  scoped_thread stopper{"stopper", [&] { request(stop, seen); }};
  s.release();
  waiter.join();
  stopper.join();
  must_have(s, how == outcome::acquired ? 0 : 1);
}
// The same without a deadline: a stop request that nobody hears leaves a sleeper behind.
EXPLORE(semaphore, a_stop_request_is_heard, {.preemptions = 3, .random_runs = 10'000}) {
  semaphore s{0};
  std::stop_source stop;
  mortise::atomic<int> seen{0};
  scoped_thread waiter{"waiter", [&] {
                         seen.fetch_add(1);
                         require(s.acquire_or_stop(stop.get_token()) == outcome::stopped,
                                 "there is no permit");
                       }};
  request(stop, seen);
  waiter.join();
  must_have(s, 0);
}

// A release that touches the semaphore after who acquired has destroyed it.
EXPLORE(semaphore, who_acquires_destroys_it, {.preemptions = 3, .deviations = 2}) {
  auto* const s = new semaphore{0};
  scoped_thread a{"a", [s] { s->release(); }};
  s->acquire();
  delete s;
  a.join();
}
EXPLORE(semaphore, who_acquires_of_two_destroys_it) {
  auto* const s = new semaphore{0};
  scoped_thread a{"a", [s] { s->release(); }};
  scoped_thread b{"b", [s] { s->release(); }};
  s->acquire();
  s->acquire();
  delete s;
  a.join();
  b.join();
}
EXPLORE(semaphore, the_next_holder_destroys_it, {.deviations = 2}) {
  auto* const s = new section;
  mortise::atomic<int> users{2};
  const auto use = [s, &users] {
    s->m.lock();
    s->pass();
    // relaxed: under the permit
    const bool last = users.fetch_sub(1, std::memory_order_relaxed) == 1;
    s->m.unlock();
    if (last) delete s;
  };
  scoped_thread a{"a", use};
  use();
  a.join();
}

// One who has come in vain after a millisecond is passed; or the permit is kept for it when it has gone.
EXPLORE(semaphore, one_who_insists_is_next, {.deviations = 1}) {
  foreign::manual_executor where;
  semaphore s{0};
  int got = 0;
  const auto frame = as_coroutine(s, where, got);
  let_pass(2'000'000);
  s.release();
  const bool barged = s.try_acquire();
  where.run_all();
  if (!barged) return require(got == 1, "who was told has it");
  require(got == 0, "there was one permit");
  s.release();
  require(!s.try_acquire(), "it is kept for who insists");
  where.run_all();
  require(got == 1, "who insists has it");
  s.release();
  must_have(s, 1);
}

// A frame that is destroyed with its offer, and an offer that is dropped with its job: the one behind sleeps for ever.
EXPLORE(semaphore, a_destroyed_frame_passes_its_wake_on, {.deviations = 1}) {
  foreign::manual_executor elsewhere;
  semaphore s{0};
  int got = 0;
  auto frame = as_coroutine(s, elsewhere, got);
  scoped_thread behind{"behind", [&] { s.acquire(); }};
  s.release();
  frame.destroy();
  behind.join();
  elsewhere.drop_all();
  must_have(s, 0);
}
EXPLORE(semaphore, a_dropped_job_passes_its_wake_on, {.deviations = 1}) {
  foreign::manual_executor ending;
  semaphore s{0};
  int got = 0;
  const auto frame = as_coroutine(s, ending, got);
  scoped_thread behind{"behind", [&] { s.acquire(); }};
  s.release();
  ending.drop_all();
  behind.join();
  ending.drop_all();
  must_have(s, 0);
}

// One who was told never runs: nobody behind may hang with it. It is destroyed while the warden looks.
EXPLORE(semaphore, an_offer_that_nobody_takes_up_is_widened, {.deviations = 1}) {
  foreign::manual_executor stopped;
  auto* const s = new semaphore{0};
  int got = 0;
  auto frame = as_coroutine(*s, stopped, got);
  scoped_thread behind{"behind", [&] { s->acquire(); }};
  let_pass(1'000'000);
  s->release();
  behind.join();
  frame.destroy();
  delete s;
  stopped.drop_all();
  let_pass(5'000'000);  // the warden's next looks
}

// A coroutine with a deadline: the timer's thread, the releaser and the job meet.
EXPLORE(semaphore, a_coroutine_with_a_deadline, {.preemptions = 1, .deviations = 1}) {
  foreign::manual_executor where;
  semaphore s{0};
  int got = -1;
  const auto frame = [](semaphore& x, foreign::manual_executor& ex, int& result) -> foreign::coroutine {
    result = co_await x.async_try_acquire_for(2ms, &ex) ? 1 : 0;
  }(s, where, got);
  scoped_thread a{"a", [&] { s.release(); }};
  while (!frame.done()) {
    where.run_all();
    let_pass(1'000'000);
  }
  a.join();
  must_have(s, got == 1 ? 0 : 1);
}

// Misuse that every build names.
EXPLORE_FAULT(semaphore, a_permit_too_many_is_named,
              "release\\(1\\) of the semaphore at .*, which has 1 permits") {
  mortise::binary_semaphore s{0};
  scoped_thread a{"a", [&] { s.release(); }};
  s.release();
  a.join();
}

}  // namespace
