// The semaphore, with std::counting_semaphore as the control of what both promise. Each opens with the bug that it would show.
#include <mortise/lock/semaphore.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <semaphore>
#include <thread>
#include <vector>

#include <support/family_probe.hpp>
#include <support/foreign.hpp>
#include <support/slow_clock.hpp>
#include <support/told.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::family_probe;
using mortise::outcome;
using semaphore = mortise::counting_semaphore<>;

constinit semaphore global{8};  // does not compile unless it is ready before the program starts
static_assert(sizeof(semaphore) == 16);
static_assert(mortise::binary_semaphore::max() == 1);

template <class S>
class any_semaphore : public testing::Test {};
using semaphores = testing::Types<std::counting_semaphore<>, semaphore>;
TYPED_TEST_SUITE(any_semaphore, semaphores);

template <class S>
int taken_at_once(S& s) {
  int n = 0;
  while (s.try_acquire()) ++n;
  return n;
}

// The bug: one more or less than there are.
TYPED_TEST(any_semaphore, there_are_as_many_as_were_given) {
  TypeParam s{3};
  EXPECT_EQ(taken_at_once(s), 3);
  s.release();
  s.release(4);
  s.release(0);
  EXPECT_EQ(taken_at_once(s), 5);
}

// The bug: a bounded wait takes what is not there, or keeps something.
TYPED_TEST(any_semaphore, bounded_waits_fail_and_leave_nothing) {
  TypeParam s{0};
  EXPECT_FALSE(s.try_acquire_for(1ms));
  EXPECT_FALSE(s.try_acquire_for(-1h));
  EXPECT_FALSE(s.try_acquire_until(std::chrono::steady_clock::now() + 1ms));
  EXPECT_FALSE(s.try_acquire_until(std::chrono::system_clock::now() - 1h));
  s.release();
  EXPECT_TRUE(s.try_acquire_for(1h));
  EXPECT_FALSE(s.try_acquire());
}

// The bug: a release of several wakes one, or a wake is spent on one who leaves.
TYPED_TEST(any_semaphore, no_permit_is_lost_among_releases_and_waits_that_end) {
  TypeParam s{0};
  constexpr int rounds = 400;
  std::atomic<int> got{0};
  {
    std::vector<std::jthread> all;
    for (int t = 0; t < 3; ++t) {
      all.emplace_back([&] {
        for (int i = 0; i < rounds; ++i) {
          if (s.try_acquire_for(std::chrono::microseconds(i % 64))) got.fetch_add(1);
        }
      });
    }
    all.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) s.release(i % 3);
    });
  }
  EXPECT_EQ(got.load() + taken_at_once(s), rounds - 1);
}

// ---- its own

foreign::coroutine take_once(semaphore& s, foreign::manual_executor& ex, int& taken) {
  co_await s.async_acquire(&ex);
  ++taken;
}

// The bug: it has to be made before it is used.
TEST(semaphore, global_is_ready) { EXPECT_EQ(taken_at_once(global), 8); }

// Q3. The bug: release resumes a coroutine in the middle of the releaser's code; it wakes fewer than it gives.
TEST(semaphore, release_runs_no_waiter_and_wakes_as_many_as_it_gives) {
  constexpr int waiters = 40;  // more than are told at once
  semaphore s{0};
  foreign::manual_executor ex;
  int taken = 0;
  std::vector<foreign::coroutine> all;
  for (int i = 0; i < waiters; ++i) all.push_back(take_once(s, ex, taken));
  EXPECT_EQ(family_probe::waiters(s), 40u);
  s.release(waiters - 1);
  EXPECT_EQ(taken, 0);
  EXPECT_GE(ex.run_all(),
            39u);  // on a busy machine one is told twice, or one too many, the others being overdue
  EXPECT_EQ(taken, waiters - 1);
  s.release();
  ex.run_all();
  EXPECT_EQ(taken, waiters);
}

// The bug: all of a crowd are told at once, and each that comes walks along all the others: 16,000 take 3 s.
TEST(semaphore, a_crowd_is_told_in_parts) {
  constexpr int crowd = 300, at_once = 64;
  for (bool in_time = false; !in_time;) {
    semaphore s{0};
    foreign::manual_executor ex;
    int taken = 0;
    std::vector<foreign::coroutine> all;
    for (int i = 0; i < crowd; ++i) all.push_back(take_once(s, ex, taken));
    const told those;
    s.release(crowd);
    const std::size_t on_their_way = ex.size();
    in_time = those.are_waited_for();
    if (in_time) EXPECT_EQ(on_their_way, at_once);
    while (ex.run_all() != 0) {}
    EXPECT_EQ(taken, crowd);
  }
}

// Q2. The bug: who has waited for long, came, and found nothing is passed for as long as others are quick.
TEST(semaphore, one_who_insists_is_next) {
  semaphore s{0};
  foreign::manual_executor ex;
  int taken = 0;
  const auto waiting = take_once(s, ex, taken);
  std::this_thread::sleep_for(2ms);
  s.release();
  ASSERT_TRUE(s.try_acquire());  // before it comes
  ex.run_all();
  ASSERT_EQ(taken, 0);
  ASSERT_TRUE(family_probe::reserved(s));
  s.release();
  EXPECT_FALSE(s.try_acquire());
  EXPECT_FALSE(s.try_acquire_for(0s));
  ex.run_all();
  EXPECT_EQ(taken, 1);
  s.release();
  EXPECT_TRUE(s.try_acquire());  // and no longer than that
}

// The bug: one behind the first takes the only permit, which is kept for the first.
TEST(semaphore, one_behind_who_insists_waits_for_its_turn) {
  for (;;) {
    semaphore s{0};
    foreign::manual_executor front, behind;
    int first = 0, second = 0;
    const auto a = take_once(s, front, first);
    std::this_thread::sleep_for(2ms);
    s.release();
    ASSERT_TRUE(s.try_acquire());
    front.run_all();
    ASSERT_TRUE(family_probe::reserved(s));
    const auto b = take_once(s, behind, second);
    const told those;
    s.release(2);
    behind.run_all();
    EXPECT_EQ(second, 1) << "there are two";
    EXPECT_FALSE(s.try_acquire());
    const auto c = take_once(s, behind, second);
    behind.run_all();
    const bool in_time = those.are_waited_for();
    const bool passed = second != 1;
    front.run_all();
    EXPECT_EQ(first + second, passed ? 3 - 1 : 2);
    s.release(2);
    while (front.run_all() + behind.run_all() != 0) {}
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 2);
    if (!in_time) continue;
    EXPECT_FALSE(passed);
    return;
  }
}

// Q5. The bug: a frame that goes away keeps its place, or the permit that it was told of.
TEST(semaphore, destroyed_frame_passes_on_what_it_was_told) {
  semaphore s{0};
  foreign::manual_executor dead, ex;
  int taken = 0, never = 0;
  auto a = take_once(s, dead, never);
  auto b = take_once(s, ex, taken);
  s.release();
  a.destroy();
  ex.run_all();
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(never, 0);
  EXPECT_EQ(family_probe::waiters(s), 0u);
  dead.run_all();
}
TEST(semaphore, dropped_job_passes_on_what_it_was_told) {
  semaphore s{0};
  foreign::manual_executor ends, ex;
  int taken = 0, never = 0;
  const auto a = take_once(s, ends, never);
  const auto b = take_once(s, ex, taken);
  s.release();
  EXPECT_EQ(ends.drop_all(), 1u);
  ex.run_all();
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(family_probe::waiters(s), 0u);
}

// Q4. The bug: who was told never runs, and everybody behind hangs.
TEST(semaphore, one_who_never_runs_hangs_nobody) {
  semaphore s{0};
  foreign::manual_executor stopped;
  int taken = 0;
  const auto first = take_once(s, stopped, taken);
  std::jthread second([&] { s.acquire(); });
  while (family_probe::waiters(s) != 2) std::this_thread::yield();
  s.release();
  second.join();  // hangs without the warden
  s.release();
  while (stopped.run_all() != 0) {}
  EXPECT_EQ(taken, 1);
}

// Q5. The bug: a stop request is not heard, is taken for a deadline, or costs a permit.
TEST(semaphore, waits_say_how_they_ended) {
  semaphore s{0};
  std::stop_source stop;
  EXPECT_EQ(s.acquire_or_stop(stop.get_token(), 1ms), outcome::timed_out);
  std::jthread waiter([&] { EXPECT_EQ(s.acquire_or_stop(stop.get_token()), outcome::stopped); });
  while (family_probe::waiters(s) != 1) std::this_thread::yield();
  stop.request_stop();
  waiter.join();
  EXPECT_EQ(s.acquire_or_stop(stop.get_token(), 1h), outcome::stopped);
  s.release();
  EXPECT_EQ(s.acquire_or_stop(stop.get_token()), outcome::acquired) << "what is to be had at once is taken";
  EXPECT_FALSE(s.try_acquire());
}
TEST(semaphore, waits_of_coroutines_say_how_they_ended) {
  semaphore s{0};
  foreign::manual_executor ex;
  std::stop_source stop;
  std::optional<bool> timed;
  std::optional<outcome> stopped;
  const auto a = [](semaphore& x, foreign::manual_executor& where,
                    std::optional<bool>& got) -> foreign::coroutine {
    got = co_await x.async_try_acquire_for(1ms, &where);
  }(s, ex, timed);
  const auto b = [](semaphore& x, foreign::manual_executor& where, std::stop_token t,
                    std::optional<outcome>& how) -> foreign::coroutine {
    how = co_await x.async_acquire_or_stop(t, &where);
  }(s, ex, stop.get_token(), stopped);
  while (!timed) ex.run_all();
  EXPECT_EQ(timed, false);
  EXPECT_FALSE(stopped);
  stop.request_stop();
  ex.run_all();
  EXPECT_EQ(stopped, outcome::stopped);
  EXPECT_EQ(family_probe::waiters(s), 0u);
}

// The bug: a clock was set back meanwhile, and nobody looks at it again.
TEST(semaphore, bounded_wait_looks_again_at_a_clock_that_is_set) {
  semaphore s{0};
  const auto until = slow_clock::now() + 2ms;
  EXPECT_FALSE(s.try_acquire_until(until));
  EXPECT_GE(slow_clock::now(), until);
}

// Q6. The bug: the release still counts as under way while it wakes, and who destroys the semaphore waits for an executor's post.
TEST(semaphore, release_is_done_with_it_before_it_wakes) {
  class waits_for_the_job final : public mortise::wait::executor {
   public:
    void post(mortise::wait::job& j) noexcept override {
      std::jthread([&] { j.run(j); }).join();
    }
  } ex;
  auto s = std::make_unique<semaphore>(0);
  [](std::unique_ptr<semaphore>& owner, waits_for_the_job& where) -> foreign::detached {
    co_await owner->async_acquire(&where);
    owner.reset();
  }(s, ex);
  s.get()->release();
  EXPECT_EQ(s, nullptr);
}

#if !defined(__SANITIZE_THREAD__)
// The bug: permits run over into what else the word says.
TEST(semaphore_death, a_permit_too_many_is_named) {
  mortise::binary_semaphore s{1};
  EXPECT_DEATH(
      s.release(),
      "^mortise: release\\(1\\) of the semaphore at 0x[0-9a-f]+, which has 1 permits: it may have 1 at most");
  semaphore many{semaphore::max()};
  EXPECT_DEATH(many.release(1), "which has 2147483647 permits");
  EXPECT_DEATH(many.release(-1), "release\\(-1\\)");
}
#endif

}  // namespace
