// Planted deadlocks are reported, each once, and nothing else is. Those who are stuck go on by a stop request, so that the test ends.
#include <mortise/insight/deadlock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <mortise/insight/named.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/lock/semaphore.hpp>
#include <mortise/lock/shared_mutex.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task.hpp>
#include <mortise/task/task_scope.hpp>
#include <mortise/task/this_task.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::mutex;
using mortise::insight::named;
using testing::HasSubstr;

std::mutex reports_guard;
std::vector<std::string> reports;

std::vector<std::string> reported() {
  const std::lock_guard hold{reports_guard};
  return reports;
}

class deadlock : public testing::Test {
 protected:
  void SetUp() override {
    {
      const std::lock_guard hold{reports_guard};
      reports.clear();
    }
    mortise::insight::watch_for_deadlocks({.look_every = 20ms, .report = [](const char* text) noexcept {
                                             const std::lock_guard hold{reports_guard};
                                             reports.emplace_back(text);
                                           }});
  }
  static std::string the_report() {
    for (int i = 0; i < 20'000 && reported().empty(); ++i) std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(100ms);  // for a second one, which there must not be
    const auto all = reported();
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? std::string{} : all[0];
  }
  // Many looks, after each of which a report could have come.
  static void expect_none() {
    std::this_thread::sleep_for(300ms);
    EXPECT_THAT(reported(), testing::IsEmpty());
  }
};

// Holds `mine`, and once all hold theirs waits for `other` until it is stopped.
void take_both(mutex& mine, mutex& other, std::latch& all_hold, const std::stop_token& stop) {
  const std::lock_guard hold{mine};
  all_hold.arrive_and_wait();
  if (other.lock_or_stop(stop) == mortise::outcome::acquired) other.unlock();
}

// The bug: two threads that wait for each other are not seen, or seen again and again, or not by name.
TEST_F(deadlock, of_two_threads_is_reported_once_with_all_names) {
  mutex a, b;
  const named name_a{a, "accounts"}, name_b{b, "journal"};
  std::stop_source stop;
  std::latch both{2};
  std::jthread one{[&] { take_both(a, b, both, stop.get_token()); }};
  std::jthread two{[&] { take_both(b, a, both, stop.get_token()); }};
  const std::string text = the_report();
  stop.request_stop();
  EXPECT_THAT(text, HasSubstr("mortise: deadlock: 2 parties wait for each other\n"));
  EXPECT_THAT(text, HasSubstr("waits for mutex 'accounts' ("));
  EXPECT_THAT(text, HasSubstr("waits for mutex 'journal' ("));
  EXPECT_THAT(text, HasSubstr(", held by thread "));
}

// The bug: a cycle through parties of several kinds is not seen while others run and timers are pending.
TEST_F(deadlock, of_a_thread_a_fiber_and_a_coroutine_is_reported_whatever_else_goes_on) {
  mutex a, b, c;
  std::stop_source stop;
  std::atomic<int> hold{0};
  mortise::runtime r{{.workers = 2}};
  mortise::task_scope tasks{r};
  tasks.go([&] { static_cast<void>(mortise::sleep_for(1h, stop.get_token())); });  // a timer is pending
  tasks.go([&] {                                                                   // somebody runs
    while (!stop.stop_requested()) mortise::sleep_for(1ms);
  });
  tasks.go([&] {
    mortise::this_task::name("loader");
    const std::lock_guard mine{a};
    ++hold;
    while (hold != 3) mortise::sleep_for(1ms);
    if (b.lock_or_stop(stop.get_token()) == mortise::outcome::acquired) b.unlock();
  });
  tasks.go([&]() -> mortise::task<> {
    const auto mine = co_await b.async_lock();
    ++hold;
    while (hold != 3) co_await mortise::async_sleep_for(1ms);
    const auto other = co_await c.async_lock_or_stop(stop.get_token());
    EXPECT_NE(other.how, mortise::outcome::timed_out);
  });
  std::jthread thread{[&] {
    const std::lock_guard mine{c};
    ++hold;
    while (hold != 3) std::this_thread::sleep_for(1ms);
    if (a.lock_or_stop(stop.get_token()) == mortise::outcome::acquired) a.unlock();
  }};
  const std::string text = the_report();
  stop.request_stop();
  tasks.join();
  EXPECT_THAT(text, HasSubstr("3 parties wait for each other"));
  for (const char* who : {" 'loader' waits for", "\n  coroutine ", "\n  thread "})
    EXPECT_THAT(text, HasSubstr(who));
}

// Who joins `many` tasks that wait for what it holds, until they are stopped.
void join_with_it_held(mutex& m, int many, const std::stop_token& stop) {
  const std::lock_guard hold{m};
  mortise::task_scope tasks;
  for (int i = 0; i < many; ++i) {
    tasks.go([&] {
      if (m.lock_or_stop(stop) == mortise::outcome::acquired) m.unlock();
    });
  }
  tasks.join();
}

// The bug: who joins those that wait for what it holds is not seen.
TEST_F(deadlock, of_a_join_with_the_lock_held_is_reported) {
  mutex m;
  std::stop_source stop;
  std::jthread thread{[&] { join_with_it_held(m, 1, stop.get_token()); }};
  const std::string text = the_report();
  stop.request_stop();
  EXPECT_THAT(text, HasSubstr("2 parties wait for each other"));
  EXPECT_THAT(text, HasSubstr(" joins a task_scope, since "));
  EXPECT_THAT(text, HasSubstr(", in which there is fiber "));
}

// The bug: there is a report for each task of the scope, and each look compares all of them with all.
TEST_F(deadlock, of_a_join_of_many_is_reported_once) {
  mutex m;
  std::stop_source stop;
  std::jthread thread{[&] { join_with_it_held(m, 50, stop.get_token()); }};
  const std::string text = the_report();
  stop.request_stop();
  EXPECT_THAT(text, HasSubstr("2 parties wait for each other"));
}

// The bug: who holds a shared_mutex, to write or to read, is not known.
TEST_F(deadlock, of_readers_and_writers_is_reported) {
  mortise::shared_mutex a, b;
  const named name_a{a, "accounts"};
  std::stop_source stop;
  std::latch both{2};
  std::jthread writes_a{[&] {
    const std::lock_guard hold{a};
    both.arrive_and_wait();
    if (b.lock_or_stop(stop.get_token()) == mortise::outcome::acquired) b.unlock();
  }};
  mortise::runtime r{{.workers = 1}};
  mortise::task_scope tasks{r};
  tasks.go([&] {
    const std::shared_lock look{b};
    both.arrive_and_wait();
    if (a.lock_shared_or_stop(stop.get_token()) == mortise::outcome::acquired) a.unlock_shared();
  });
  const std::string text = the_report();
  stop.request_stop();
  tasks.join();
  EXPECT_THAT(text, HasSubstr("2 parties wait for each other"));
  EXPECT_THAT(text, HasSubstr(" waits for shared_mutex, to read 'accounts' ("));
  EXPECT_THAT(text, HasSubstr(" waits for shared_mutex, to write 0x"));
}

// Reads what it reads already, once somebody waits to write in between.
void read_twice(mortise::shared_mutex& m, const std::stop_token& stop, const auto& wait_to_write) {
  const std::shared_lock look{m};
  std::jthread writer{wait_to_write};
  while (m.try_lock_shared()) {
    m.unlock_shared();
    std::this_thread::sleep_for(1ms);
  }
  if (m.lock_shared_or_stop(stop) == mortise::outcome::acquired) m.unlock_shared();
}

// The bug: a reader that reads again, behind a writer that waits for it, is not seen.
TEST_F(deadlock, of_a_reader_that_reads_again_is_reported) {
  mortise::shared_mutex m;
  std::stop_source stop;
  std::jthread reader{[&] {
    read_twice(m, stop.get_token(), [&] {
      if (m.lock_or_stop(stop.get_token()) == mortise::outcome::acquired) m.unlock();
    });
  }};
  const std::string text = the_report();
  stop.request_stop();
  EXPECT_THAT(text, HasSubstr("2 parties wait for each other"));
}

// The bug: a reader is taken to wait for itself where the writer in between gives up.
TEST_F(deadlock, is_none_of_a_reader_behind_a_writer_that_has_a_deadline) {
  mortise::shared_mutex m;
  std::jthread reader{[&] {
    read_twice(m, {}, [&] {
      if (m.try_lock_for(500ms)) m.unlock();
    });
  }};
  expect_none();
}

// The bug: one that ends by itself is taken for one that does not.
TEST_F(deadlock, is_none_where_one_has_a_deadline) {
  mutex a, b;
  std::stop_source stop;
  std::latch both{2};
  std::jthread one{[&] { take_both(a, b, both, stop.get_token()); }};
  std::jthread two{[&] {
    const std::lock_guard hold{b};
    both.arrive_and_wait();
    if (a.try_lock_for(500ms)) a.unlock();
  }};
  expect_none();
  stop.request_stop();
}

// The bug: a long wait is taken for one without end.
TEST_F(deadlock, is_none_where_the_holder_sleeps_or_waits_for_another) {
  mutex a, b;
  mortise::binary_semaphore go_on{0};
  std::jthread holder{[&] {
    const std::lock_guard hold{a};
    go_on.acquire();
  }};
  std::jthread between{[&] {
    const std::lock_guard hold{b};
    const std::lock_guard other{a};
  }};
  std::jthread last{[&] { const std::lock_guard other{b}; }};
  expect_none();
  go_on.release();
}

// The bug: many who queue for two locks in one order, handing over all the time, look like a cycle in two looks.
TEST_F(deadlock, is_none_among_many_who_take_two_locks_in_one_order) {
  mutex a, b;
  std::atomic<bool> ends{false};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (!ends) {
        const std::lock_guard one{a};
        const std::lock_guard two{b};
      }
    });
  }
  expect_none();
  ends = true;
}

// The bug: who was reported, got free and is stuck again is not reported again.
TEST_F(deadlock, is_reported_again_if_it_happens_again) {
  for (std::size_t times = 1; times <= 2; ++times) {
    mutex a, b;
    std::stop_source stop;
    std::latch both{2};
    std::jthread one{[&] { take_both(a, b, both, stop.get_token()); }};
    std::jthread two{[&] { take_both(b, a, both, stop.get_token()); }};
    for (int i = 0; i < 20'000 && reported().size() < times; ++i) std::this_thread::sleep_for(1ms);
    EXPECT_EQ(reported().size(), times);
    stop.request_stop();
  }
}

TEST(deadlock_options, out_of_range_are_refused) {
  for (const auto every : {9ms, 60'001ms})
    EXPECT_THROW(mortise::insight::watch_for_deadlocks({.look_every = every}), std::invalid_argument);
}

}  // namespace
