// Among threads. Among tasks: tests/scopes/lock_order_test.cpp
#include <mortise/lock/lock_order.hpp>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <link.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <regex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <mortise/lock/guarded.hpp>
#include <mortise/lock/mutex.hpp>
#include <support/forked.hpp>
#include <support/reported_orders.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::lock_order;
using mortise::mutex;

std::vector<std::string> reports() { return reported_orders::reports(); }

template <class First, class Second>
void take(First& first, Second& second) {
  const std::lock_guard one{first};
  const std::lock_guard two{second};
}

template <class F>
void on_a_thread(F f) {
  std::jthread{f}.join();
}

#if MORTISE_IS_CHECKED

// How many frames of the report are in `of`, of the functions that are given.
int frames_in(const std::string& report, void (*of)(mutex&, mutex&),
              const std::vector<void (*)(mutex&, mutex&)>& all) {
  Dl_info info{};
  link_map* module = nullptr;
  ::dladdr1(reinterpret_cast<void*>(of), &info, reinterpret_cast<void**>(&module), RTLD_DL_LINKMAP);
  int n = 0;
  const std::regex offset{"\\+(0x[0-9a-f]+)\\)\n"};
  for (std::sregex_iterator i{report.begin(), report.end(), offset}, end; i != end; ++i) {
    const std::uintptr_t at = std::stoul((*i)[1], nullptr, 16) + module->l_addr;
    std::uintptr_t nearest = 0;
    for (auto* f : all) {
      const auto begin = reinterpret_cast<std::uintptr_t>(f);
      if (begin <= at && begin > nearest) nearest = begin;
    }
    if (nearest == reinterpret_cast<std::uintptr_t>(of) && at - nearest < 1000) ++n;
  }
  return n;
}

class lock_orders : public testing::Test {
 protected:
  const reported_orders keep;
};

[[gnu::noinline]] void one_way(mutex& a, mutex& b) { take(a, b); }
[[gnu::noinline]] void other_way(mutex& a, mutex& b) { take(b, a); }

// The bug: two threads that have met in this order ten thousand times without harm stop for ever on a Sunday.
TEST_F(lock_orders, of_threads_that_have_not_met_are_reported_once_with_both_stacks) {
  mutex a, b;
  on_a_thread([&] { one_way(a, b); });
  EXPECT_THAT(reports(), testing::IsEmpty());
  for (int i = 0; i < 3; ++i) on_a_thread([&] { other_way(a, b); });
  ASSERT_EQ(reports().size(), 1u);
  const std::string text = reports().front();
  EXPECT_THAT(text, testing::ContainsRegex("^mortise: lock order: thread [0-9]+ holds the lock at 0x"));
  EXPECT_GE(frames_in(text, one_way, {one_way, other_way}), 1) << text;
  EXPECT_GE(frames_in(text, other_way, {one_way, other_way}), 1) << text;
}

// The bug: only what happens on different threads counts, and a program's tests have but one.
TEST_F(lock_orders, of_one_thread_at_different_times_are_reported) {
  mutex a, b;
  take(a, b);
  take(b, a);
  EXPECT_EQ(reports().size(), 1u);
}

// The bug: the report comes from whoever gets the lock; where both wait, nobody does.
TEST_F(lock_orders, are_reported_before_the_wait_begins) {
  mutex a, b;
  take(a, b);
  a.lock();
  std::jthread other{[&] {
    const std::lock_guard hold{b};
    const std::lock_guard waits{a};
  }};
  while (reports().empty()) std::this_thread::yield();
  a.unlock();
}

// The bug: only pairs are compared.
TEST_F(lock_orders, of_three_locks_are_reported_with_three_stacks) {
  mutex a, b, c;
  take(a, b);
  take(b, c);
  EXPECT_THAT(reports(), testing::IsEmpty());
  take(c, a);
  ASSERT_EQ(reports().size(), 1u);
  const std::string text = reports().front();
  const std::regex here{", here:\n    #0 "};
  EXPECT_EQ(std::distance(std::sregex_iterator{text.begin(), text.end(), here}, std::sregex_iterator{}), 3)
      << text;
}

// The bug: a service with an inverted pair in each connection fills the disk.
TEST_F(lock_orders, of_many_pairs_from_the_same_places_are_reported_once) {
  for (int i = 0; i < 5; ++i) {
    mutex a, b;
    take(a, b);
    take(b, a);
  }
  EXPECT_EQ(reports().size(), 1u);
}

// The bug: a program that asks for an end at the first report goes on.
using lock_orders_death = lock_orders;
TEST_F(lock_orders_death, hook_may_end_the_program) {
  EXPECT_DEATH(
      {
        lock_order::on_cycle([](const char* text) {
          std::fputs(text, stderr);
          std::abort();
        });
        mutex a;
        mutex b;
        take(a, b);
        take(b, a);
      },
      "mortise: lock order: thread");
}

// The bug: without a hook nobody hears of it.
TEST_F(lock_orders, are_reported_to_standard_error) {
  lock_order::on_cycle(nullptr);
  testing::internal::CaptureStderr();
  mutex a, b;
  take(a, b);
  take(b, a);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::StartsWith("mortise: lock order: "));
}

// The bug: a wait that a stop request may end, but nothing else, counts as one that ends by itself.
TEST_F(lock_orders, of_waits_with_a_stop_token_count) {
  mutex a, b;
  take(a, b);
  const std::lock_guard hold{b};
  ASSERT_EQ(a.lock_or_stop(std::stop_token{}), mortise::outcome::acquired);
  a.unlock();
  EXPECT_EQ(reports().size(), 1u);
}

// The bug: what was taken by try_lock is not seen to be held.
TEST_F(lock_orders, after_what_a_try_took_count) {
  mutex a, b;
  ASSERT_TRUE(a.try_lock());
  b.lock();
  b.unlock();
  a.unlock();
  take(b, a);
  EXPECT_EQ(reports().size(), 1u);
}

// The bug: a declared order is learned only once it has been seen.
TEST_F(lock_orders, that_were_declared_hold_from_the_first_time) {
  mutex a, b, c;
  lock_order::declare(a, b);
  lock_order::declare(b, c);
  take(a, b);
  EXPECT_THAT(reports(), testing::IsEmpty());
  take(c, a);
  ASSERT_EQ(reports().size(), 1u);
  EXPECT_THAT(reports().front(), testing::HasSubstr(", as declared by thread "));
}

// The bug: a declaration that comes late is not held against what was seen.
TEST_F(lock_orders, that_were_declared_too_late_are_reported) {
  mutex a;
  mortise::guarded<int> b;
  a.lock();
  b.with([](int& v) { ++v; });
  a.unlock();
  lock_order::declare(b, a);
  ASSERT_EQ(reports().size(), 1u);
  EXPECT_THAT(reports().front(), testing::ContainsRegex("^mortise: lock order: thread [0-9]+ declares"));
}

// The bug: a child of a fork finds a lock of the check's taken by a thread that it does not have.
TEST_F(lock_orders, are_kept_on_in_forked_children) {
  std::atomic<bool> stop = false;
  std::jthread busy([&] {
    while (!stop) {
      mutex a, b;
      take(a, b);
    }
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(mortise::test::child([] {
                  mutex a, b;
                  take(a, b);
                  take(b, a);
                  return reports().size() == 1;
                }).succeeded());
  }
  stop = true;
}

#else

TEST(lock_orders, are_not_kept_in_unchecked_builds) {
  const reported_orders keep;
  mutex a, b;
  mortise::guarded<int> c;
  lock_order::declare(a, c);
  lock_order::waive(c);
  take(a, b);
  take(b, a);
  EXPECT_EQ(reports().size(), 0u);
}

#endif

}  // namespace
