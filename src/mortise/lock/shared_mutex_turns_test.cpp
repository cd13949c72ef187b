// Who goes next at a shared mutex: neither readers nor writers wait for ever. Each opens with the bug that it would show.
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

foreign::coroutine write_once(shared_mutex& m, foreign::manual_executor& ex, int& written) {
  const auto hold = co_await m.async_lock(&ex);
  ++written;
}
foreign::coroutine read_once(shared_mutex& m, foreign::manual_executor& ex, int& looked) {
  const auto hold = co_await m.async_lock_shared(&ex);
  ++looked;
}

// A writer waits behind a reader that stays inside, and has waited for more than a millisecond; readers come so that the lock is never free.
struct stream_of_readers {
  shared_mutex m;
  foreign::manual_executor ex;
  int written = 0;
  std::optional<foreign::coroutine> writer;

  stream_of_readers() {
    m.lock_shared();
    writer.emplace(write_once(m, ex, written));
    std::this_thread::sleep_for(2ms);
  }
  // True: sooner or later `try_read` says that it has not come in.
  template <class F>
  bool ends(F try_read) {
    for (int i = 0; i < 1'000; ++i) {  // one in some 16 looks how long the first one has waited
      if (!try_read()) return true;
    }
    return false;
  }
  ~stream_of_readers() {
    m.unlock_shared();
    while (ex.run_all() != 0) {}
    EXPECT_EQ(written, 1);
  }
};

// The bug: it is never told, and waits for as long as readers come.
TEST(shared_mutex, writer_is_not_passed_for_ever) {
  stream_of_readers s;
  EXPECT_TRUE(s.ends([&] {
    if (!s.m.try_lock_shared()) return false;
    s.m.unlock_shared();
    return true;
  }));
}

// The bug: readers look at the queue only every so many lock operations of their thread, whatever it locks, so those that do something else in
// step with it never look.
TEST(shared_mutex, writer_is_not_passed_for_ever_by_readers_that_lock_in_step) {
  for (const int step : {1, 3, 7, 15}) {
    for (int start = 0; start <= step; ++start) {
      mortise::mutex other;
      const auto lock_other = [&](int times) {
        for (int i = 0; i < times; ++i) {
          other.lock();
          other.unlock();
        }
      };
      stream_of_readers s;
      lock_other(start);
      EXPECT_TRUE(s.ends([&] {
        lock_other(step);
        if (!s.m.try_lock_shared()) return false;
        s.m.unlock_shared();
        return true;
      })) << step
          << " others, from " << start;
    }
  }
}

// The bug: only some ways to come in look at the queue.
TEST(shared_mutex, writer_is_not_passed_for_ever_by_coroutines) {
  stream_of_readers s;
  int looked = 0;
  std::vector<foreign::coroutine> readers;
  EXPECT_TRUE(s.ends([&] { return readers.emplace_back(read_once(s.m, s.ex, looked)).done(); }));
  readers.pop_back();  // it waits
}
TEST(shared_mutex, writer_is_not_passed_for_ever_by_bounded_waits) {
  stream_of_readers s;
  EXPECT_TRUE(s.ends([&] {
    if (!s.m.try_lock_shared_for(20ms)) return false;
    s.m.unlock_shared();
    return true;
  }));
}

// The bug: the first in the queue was told and never runs, and nobody heeds how long those behind it have waited.
TEST(shared_mutex, writer_behind_one_who_never_runs_is_not_passed_for_ever) {
  shared_mutex m;
  foreign::manual_executor stopped, ex;
  int looked = 0, written = 0;
  m.lock();
  auto dead = read_once(m, stopped, looked);
  const auto writer = write_once(m, ex, written);
  m.unlock_and_lock_shared();  // the reader is told
  bool passes = true;
  for (int i = 0; passes && i < 10'000; ++i) {
    if (i % 64 == 0) std::this_thread::sleep_for(1ms);
    passes = m.try_lock_shared();
    if (passes) m.unlock_shared();
  }
  EXPECT_FALSE(passes);
  m.unlock_shared();
  while (ex.empty()) std::this_thread::yield();  // hangs if nobody tells it
  while (ex.run_all() != 0) {}
  EXPECT_EQ(written, 1);
  dead.destroy();
  stopped.drop_all();
}

// The bug: writers take a free lock past readers who have waited for long.
TEST(shared_mutex, reader_is_not_passed_for_ever) {
  shared_mutex m;
  foreign::manual_executor ex;
  int looked = 0;
  m.lock();
  const auto reader = read_once(m, ex, looked);
  do {
    std::this_thread::sleep_for(2ms);
    m.unlock();
    m.lock();
    ex.run_all();
  } while (!family_probe::reserved(m));
  m.unlock();
  EXPECT_FALSE(m.try_lock());
  ex.run_all();
  EXPECT_EQ(looked, 1);
  EXPECT_TRUE(m.try_lock());
  m.unlock();
}

}  // namespace
