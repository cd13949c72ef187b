// A shared mutex whose readers are counted in slots. Each opens with the bug that it would show.
#include <mortise/lock/shared_mutex.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <thread>
#include <vector>

#include <support/family_probe.hpp>
#include <support/foreign.hpp>
#include <support/from_elsewhere.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::family_probe;
using mortise::shared_mutex;
using mortise::test::expect_that_nothing_is_lost;
using mortise::test::may_read;
using mortise::test::may_write;

// The bug: readers that get into each other's way go on so, or a lock that writers use gets slots that make these slow.
TEST(shared_mutex, slots_are_for_locks_without_writers) {
  shared_mutex m;
  m.lock();
  m.unlock();
  m.lock_shared();
  family_probe::quarrel(m);
  EXPECT_FALSE(family_probe::has_slots(m)) << "a writer has come since readers last quarrelled";
  family_probe::quarrel(m);
  EXPECT_TRUE(family_probe::has_slots(m));
  m.unlock_shared();
  EXPECT_TRUE(may_write(m));
}

// The bug: those that were counted in the word before are forgotten, or counted twice.
TEST(shared_mutex, readers_from_before_the_slots_are_counted) {
  shared_mutex m;
  m.lock_shared();
  std::jthread([&] { m.lock_shared(); }).join();
  family_probe::quarrel(m);
  ASSERT_TRUE(family_probe::has_slots(m));
  m.unlock_shared();
  EXPECT_FALSE(may_write(m));
  m.unlock_shared();
  EXPECT_TRUE(may_write(m));
}

// The bug: readers in slots are not seen by a writer; one that leaves on another thread is counted twice; nobody tells the writer.
TEST(shared_mutex, writers_wait_for_readers_in_slots) {
  shared_mutex m;
  family_probe::give_slots(m);
  m.lock_shared();
  std::jthread([&] { m.lock_shared(); }).join();
  EXPECT_FALSE(may_write(m));
  std::atomic<bool> inside{false};
  std::jthread writer([&] {
    const std::lock_guard hold{m};
    inside.store(true);
  });
  while (family_probe::waiters(m) != 1) std::this_thread::yield();
  EXPECT_FALSE(may_read(m)) << "a writer that waits is not passed where there are slots";
  std::jthread([&] { m.unlock_shared(); }).join();
  EXPECT_FALSE(inside.load());
  m.unlock_shared();
  writer.join();
  EXPECT_TRUE(may_read(m));
  EXPECT_TRUE(may_write(m));
}

TEST(shared_mutex, nothing_is_lost_among_readers_in_slots_and_writers) {
  shared_mutex m;
  family_probe::give_slots(m);
  expect_that_nothing_is_lost(m);
}

// The bug: what a lock counted in its slots is found there by the next one that gets them.
TEST(shared_mutex, slots_are_given_back_empty) {
  for (int round = 0; round < 3; ++round) {
    shared_mutex m;
    family_probe::give_slots(m);
    // in on one thread and out on another: the slots are not 0 each, but in sum
    m.lock_shared();
    std::jthread([&] { m.unlock_shared(); }).join();
    EXPECT_TRUE(may_write(m));
  }
}

// The bug: an insisting reader is told, a writer that comes behind it is the one for whom readers make way, and it leaves again.
TEST(shared_mutex, bounded_writer_in_slots_lets_readers_in_again) {
  shared_mutex m;
  family_probe::give_slots(m);
  m.lock_shared();
  std::atomic<bool> looked{false};
  std::jthread writer([&] { EXPECT_FALSE(m.try_lock_for(20ms)); });
  std::jthread reader([&] {
    while (family_probe::waiters(m) != 1 && !looked.load()) std::this_thread::yield();
    const std::shared_lock hold{m};
    looked.store(true);
  });
  writer.join();
  looked.store(true);
  reader.join();  // hangs if it is not told
  m.unlock_shared();
  EXPECT_TRUE(may_write(m));
}

}  // namespace
