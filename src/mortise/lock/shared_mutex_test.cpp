// What is the shared mutex's own, with std::shared_timed_mutex as the control of what both promise. What any lock promises is tested in tests/conformance.
#include <mortise/lock/shared_mutex.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <thread>
#include <vector>

#include <support/family_probe.hpp>
#include <support/foreign.hpp>
#include <support/from_elsewhere.hpp>
#include <support/told.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::family_probe;
using mortise::outcome;
using mortise::shared_mutex;
using mortise::test::elsewhere;
using mortise::test::expect_that_nothing_is_lost;
using mortise::test::may_read;
using mortise::test::may_write;

constinit shared_mutex global;  // does not compile unless it is ready before the program starts
static_assert(sizeof(shared_mutex) == 16);

template <class L>
class shared_lock : public testing::Test {};
using shared_locks = testing::Types<std::shared_timed_mutex, shared_mutex>;
TYPED_TEST_SUITE(shared_lock, shared_locks);

// The bug: a reader keeps readers out, or lets a writer in; a writer lets anybody in.
TYPED_TEST(shared_lock, keeps_out_whom_it_has_to) {
  TypeParam m;
  m.lock_shared();
  EXPECT_TRUE(may_read(m));
  EXPECT_FALSE(may_write(m));
  m.unlock_shared();
  EXPECT_TRUE(may_write(m));
  m.lock();
  EXPECT_FALSE(may_read(m));
  EXPECT_FALSE(may_write(m));
  m.unlock();
  EXPECT_TRUE(may_read(m));
}

// The bug: a bounded wait takes what it does not have, or leaves something behind.
TYPED_TEST(shared_lock, bounded_waits_fail_and_leave_nothing) {
  TypeParam m;
  m.lock_shared();
  EXPECT_FALSE(elsewhere([&] { return m.try_lock_for(1ms); }));
  EXPECT_FALSE(elsewhere([&] { return m.try_lock_until(std::chrono::system_clock::now() + 1ms); }));
  EXPECT_TRUE(may_read(m));
  m.unlock_shared();
  m.lock();
  EXPECT_FALSE(elsewhere([&] { return m.try_lock_shared_for(1ms); }));
  EXPECT_FALSE(elsewhere([&] { return m.try_lock_shared_until(std::chrono::steady_clock::now() + 1ms); }));
  m.unlock();
  EXPECT_TRUE(may_write(m));
}

// The bug: readers are not all let in by the writer's unlock, but one by one.
TYPED_TEST(shared_lock, readers_are_inside_together) {
  constexpr int readers = 4;
  TypeParam m;
  std::atomic<int> inside{0};
  m.lock();
  std::vector<std::jthread> all;
  for (int i = 0; i < readers; ++i) {
    all.emplace_back([&] {
      const std::shared_lock hold{m};
      inside.fetch_add(1);
      while (inside.load() != readers) std::this_thread::yield();  // hangs if they are not
    });
  }
  std::this_thread::sleep_for(2ms);  // about when they wait
  m.unlock();
}

// The bug: a reader beside a writer sees half of what that one writes.
TYPED_TEST(shared_lock, nothing_is_lost_among_readers_and_writers) {
  TypeParam m;
  expect_that_nothing_is_lost(m);
}

// ---- its own

// The bug: it has to be made before it is used.
TEST(shared_mutex, global_is_ready) { EXPECT_TRUE(may_write(global)); }

foreign::coroutine write_once(shared_mutex& m, foreign::manual_executor& ex, int& written) {
  const auto hold = co_await m.async_lock(&ex);
  ++written;
}
foreign::coroutine read_once(shared_mutex& m, foreign::manual_executor& ex, int& looked) {
  const auto hold = co_await m.async_lock_shared(&ex);
  ++looked;
}

// The bug: unlock resumes a coroutine in the middle of the unlocker's code.
TEST(shared_mutex, unlock_runs_no_waiter) {
  shared_mutex m;
  foreign::manual_executor ex;
  int written = 0, looked = 0;
  m.lock();
  const auto reader = read_once(m, ex, looked);
  const auto writer = write_once(m, ex, written);
  m.unlock();
  EXPECT_EQ(looked + written, 0);
  while (ex.run_all() != 0) {}
  EXPECT_EQ(looked, 1);
  EXPECT_EQ(written, 1);
}

// The bug: all of a crowd are told at once, and each that comes walks along all the others: 16,000 take 8 s. Or those behind are told by nobody.
TEST(shared_mutex, a_crowd_of_readers_is_told_in_parts) {
  constexpr int crowd = 300, at_once = 64;
  for (bool in_time = false; !in_time;) {
    shared_mutex m;
    foreign::manual_executor ex;
    int looked = 0;
    m.lock();
    std::vector<foreign::coroutine> readers;
    for (int i = 0; i < crowd; ++i) readers.push_back(read_once(m, ex, looked));
    const told those;
    m.unlock();
    const std::size_t on_their_way = ex.size();
    in_time = those.are_waited_for();
    if (in_time) EXPECT_EQ(on_their_way, at_once);
    while (ex.run_all() != 0) {}
    EXPECT_EQ(looked, crowd);
    EXPECT_TRUE(may_write(m));
  }
}

// A writer becomes a reader. The bug: another writer comes in between; readers that waited are not told.
TEST(shared_mutex, downgrade_lets_readers_in_and_no_writer) {
  shared_mutex m;
  foreign::manual_executor ex;
  int written = 0, looked = 0;
  m.lock();
  const auto reader = read_once(m, ex, looked);
  const auto writer = write_once(m, ex, written);
  m.unlock_and_lock_shared();
  while (ex.run_all() != 0) {}
  EXPECT_EQ(looked, 1);
  EXPECT_EQ(written, 0);
  m.unlock_shared();
  while (ex.run_all() != 0) {}
  EXPECT_EQ(written, 1);
}

// The bug: a frame that goes away while it waits stays in the queue, or takes with it what it was told: those behind sleep for ever.
TEST(shared_mutex, destroyed_frame_passes_on_what_it_was_told) {
  shared_mutex m;
  foreign::manual_executor ex;
  int written = 0, looked = 0;
  m.lock_shared();
  auto writer = write_once(m, ex, written);
  const auto reader = read_once(m, ex, looked);
  m.unlock_shared();  // the writer is told, if it is the first to wait
  writer.destroy();
  while (ex.run_all() != 0) {}
  EXPECT_EQ(looked, 1);
  EXPECT_EQ(written, 0);
  EXPECT_EQ(family_probe::waiters(m), 0u);
}
TEST(shared_mutex, dropped_job_passes_on_what_it_was_told) {
  shared_mutex m;
  foreign::manual_executor ends, ex;
  int written = 0, looked = 0;
  m.lock();
  const auto writer = write_once(m, ends, written);
  const auto reader = read_once(m, ex, looked);
  m.unlock();
  EXPECT_EQ(ends.drop_all(), 1u);
  while (ex.run_all() != 0) {}
  EXPECT_EQ(looked, 1);
  EXPECT_EQ(family_probe::waiters(m), 0u);
}

// RW5. The bug: who was told never runs, and everybody behind hangs.
TEST(shared_mutex, one_who_never_runs_hangs_nobody) {
  shared_mutex m;
  foreign::manual_executor stopped;
  int written = 0;
  m.lock();
  const auto first = write_once(m, stopped, written);
  std::jthread second([&] { const std::lock_guard hold{m}; });
  while (family_probe::waiters(m) != 2) std::this_thread::yield();
  m.unlock();
  second.join();  // hangs without the warden
  while (stopped.run_all() != 0) {}
  EXPECT_EQ(written, 1);
}

// An executor that posts by having another thread run the job, and waits for that. The bug: the unlock still counts as on its way while
// it wakes, and who destroys the lock waits for it.
class waits_for_the_job final : public mortise::wait::executor {
 public:
  void post(mortise::wait::job& j) noexcept override {
    std::jthread([&] { j.run(j); }).join();
  }
};
template <class Lock, class Free>
void destroyed_by_whom_it_wakes(Lock lock, Free free) {
  waits_for_the_job ex;
  auto m = std::make_unique<shared_mutex>();
  lock(*m);
  [](std::unique_ptr<shared_mutex>& owner, waits_for_the_job& where) -> foreign::detached {
    { const auto hold = co_await owner->async_lock(&where); }
    owner.reset();
  }(m, ex);
  free(*m.get());
  EXPECT_EQ(m, nullptr);
}
TEST(shared_mutex, unlock_is_done_with_it_before_it_wakes) {
  destroyed_by_whom_it_wakes([](shared_mutex& m) { m.lock(); }, [](shared_mutex& m) { m.unlock(); });
  destroyed_by_whom_it_wakes([](shared_mutex& m) { m.lock_shared(); },
                             [](shared_mutex& m) { m.unlock_shared(); });
}

// A stop request, a deadline, a grant: the bug: one is taken for another.
TEST(shared_mutex, bounded_waits_of_coroutines_say_how_they_ended) {
  shared_mutex m;
  foreign::manual_executor ex;
  std::stop_source stop;
  std::optional<outcome> read, written;
  const auto reader = [](shared_mutex& l, foreign::manual_executor& where, std::stop_token s,
                         std::optional<outcome>& how) -> foreign::coroutine {
    auto [ended, hold] = co_await l.async_lock_shared_or_stop(s, &where);
    how = ended;
    EXPECT_EQ(hold.owns_lock(), ended == outcome::acquired);
  };
  const auto writer = [](shared_mutex& l, foreign::manual_executor& where,
                         std::optional<outcome>& how) -> foreign::coroutine {
    const auto hold = co_await l.async_lock_for(1ms, &where);
    how = hold.owns_lock() ? outcome::acquired : outcome::timed_out;
  };
  m.lock();
  const auto a = reader(m, ex, stop.get_token(), read);
  const auto b = writer(m, ex, written);
  while (!written) ex.run_all();
  EXPECT_EQ(written, outcome::timed_out);
  EXPECT_FALSE(read);
  stop.request_stop();
  ex.run_all();
  EXPECT_EQ(read, outcome::stopped);
  EXPECT_EQ(family_probe::waiters(m), 0u);
  m.unlock();
  read.reset();
  const auto c = reader(m, ex, stop.get_token(), read);  // what is to be had at once is taken
  EXPECT_EQ(read, outcome::acquired);
}

#if !defined(__SANITIZE_THREAD__)
// The bug: misuse goes on with a lock that is not what it says.
TEST(shared_mutex_death, an_unlock_too_many_is_named) {
  shared_mutex m;
  EXPECT_DEATH(m.unlock(), "^mortise: unlock of the shared_mutex at 0x[0-9a-f]+, which nobody has locked");
  EXPECT_DEATH(m.unlock_shared(),
               "^mortise: unlock_shared of the shared_mutex at 0x[0-9a-f]+, which nobody has locked shared");
  EXPECT_DEATH(m.unlock_and_lock_shared(),
               "^mortise: unlock_and_lock_shared of the shared_mutex at 0x[0-9a-f]+");
}

#if MORTISE_IS_CHECKED
TEST(shared_mutex_death, destruction_while_held_is_named) {
  EXPECT_DEATH(
      {
        shared_mutex m;
        m.lock_shared();
      },
      "the shared_mutex at .* is destroyed while it is held");
}
#endif
#endif

}  // namespace
