// The order in which shared mutexes are taken, as lock_order_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <mortise/lock/guarded.hpp>
#include <mortise/lock/lock_order.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/lock/shared_mutex.hpp>
#include <support/reported_orders.hpp>

#if MORTISE_IS_CHECKED

namespace {

using namespace std::chrono_literals;
using mortise::shared_mutex;

std::vector<std::string> reports() { return reported_orders::reports(); }

class shared_orders : public testing::Test {
 protected:
  const reported_orders keep;
};

template <class First, class Second>
void take(First first, Second second) {
  const First one = std::move(first);
  second.lock();
}
using writes = std::unique_lock<shared_mutex>;
using reads = std::shared_lock<shared_mutex>;

template <class One, class Two>
void expect_reported_once() {
  shared_mutex a, b;
  for (int i = 0; i < 2; ++i) {
    take(One{a}, Two{b, std::defer_lock});
    EXPECT_EQ(reports().size(), static_cast<std::size_t>(i));
    take(Two{b}, One{a, std::defer_lock});
    EXPECT_EQ(reports().size(), 1u);
  }
}

// The bug: readers are thought not to wait for each other. They do once there is a writer in between, in both queues.
TEST_F(shared_orders, of_writers_are_reported) { expect_reported_once<writes, writes>(); }
TEST_F(shared_orders, of_readers_are_reported) { expect_reported_once<reads, reads>(); }
TEST_F(shared_orders, of_a_writer_and_a_reader_are_reported) { expect_reported_once<writes, reads>(); }

// The bug: a lock that many share is thought to keep them apart.
TEST_F(shared_orders, behind_a_shared_gate_are_reported) {
  shared_mutex gate, a, b;
  for (const bool alone : {true, false}) {
    alone ? gate.lock() : gate.lock_shared();
    take(writes{a}, writes{b, std::defer_lock});
    take(writes{b}, writes{a, std::defer_lock});
    alone ? gate.unlock() : gate.unlock_shared();
    EXPECT_EQ(reports().size(), alone ? 0u : 1u);
  }
}

// The bug: a writer that has become a reader holds nothing, or still keeps others apart.
TEST_F(shared_orders, after_a_downgrade_count) {
  shared_mutex gate, a, b;
  gate.lock();
  gate.unlock_and_lock_shared();
  take(writes{a}, writes{b, std::defer_lock});
  take(writes{b}, writes{a, std::defer_lock});
  EXPECT_EQ(reports().size(), 1u);
  gate.unlock_shared();
  const writes hold{a};
  gate.lock();
  gate.unlock();
  EXPECT_EQ(reports().size(), 2u);  // of the gate and a
}

TEST_F(shared_orders, of_tries_and_bounded_waits_do_not_count) {
  shared_mutex a, b;
  take(reads{a}, reads{b, std::defer_lock});
  const writes hold{b};
  for (int how = 0; how < 6; ++how) {
    if (how == 0) ASSERT_TRUE(a.try_lock_shared());
    if (how == 1) ASSERT_TRUE(a.try_lock_shared_for(1s));
    if (how == 2) ASSERT_EQ(a.lock_shared_or_stop(std::stop_token{}, 1s), mortise::outcome::acquired);
    if (how == 3) ASSERT_TRUE(a.try_lock());
    if (how == 4) ASSERT_TRUE(a.try_lock_for(1s));
    if (how == 5) ASSERT_EQ(a.lock_or_stop(std::stop_token{}, 1s), mortise::outcome::acquired);
    how < 3 ? a.unlock_shared() : a.unlock();
  }
  EXPECT_THAT(reports(), testing::IsEmpty());
  ASSERT_EQ(a.lock_shared_or_stop(std::stop_token{}), mortise::outcome::acquired);
  a.unlock_shared();
  EXPECT_EQ(reports().size(), 1u);
}

TEST_F(shared_orders, of_another_lock_at_the_same_address_are_its_own) {
  shared_mutex a;
  std::optional<shared_mutex> b;
  b.emplace();
  take(reads{a}, writes{*b, std::defer_lock});
  b.emplace();
  take(reads{*b}, writes{a, std::defer_lock});
  EXPECT_THAT(reports(), testing::IsEmpty());
}

// The bug: who has read and has given its lock to another thread is thought to hold it for ever.
TEST_F(shared_orders, after_a_lock_was_handed_over_are_not_those_of_who_took_it) {
  shared_mutex a;
  mortise::mutex b, c;
  reads handed{a};
  { const std::lock_guard while_it_looks_held{b}; }
  std::jthread{[&] { handed.unlock(); }}.join();
  { const std::lock_guard afterwards{c}; }
  for (mortise::mutex* first : {&b, &c}) {
    const std::lock_guard hold{*first};
    const reads look{a};
  }
  EXPECT_THAT(reports(), testing::IsEmpty());
}

// The bug: the readers of a guarded are not seen.
TEST_F(shared_orders, of_guarded_are_those_of_its_lock) {
  mortise::guarded<int, shared_mutex> a{0}, b{0};
  mortise::lock_order::declare(a, b);
  a.read([&](const int&) { b.with([](int& v) { ++v; }); });
  EXPECT_THAT(reports(), testing::IsEmpty());
  b.with([&](int& v) { v = a.read([](const int& other) { return other; }); });
  EXPECT_EQ(reports().size(), 1u);
}

}  // namespace

#endif
