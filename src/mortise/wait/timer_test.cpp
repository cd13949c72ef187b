// Deadlines of those that have no clock of their own. Each opens with the bug that it would show.
#include <mortise/wait/timer.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <thread>

namespace {

using namespace std::chrono_literals;
using mortise::nanos;
using mortise::now_ns;
using mortise::wait::timer;

// Counts its wakes, and when the first came.
class counted final : public mortise::wait::parker {
 public:
  void unpark() noexcept override {
    if (m_wakes.load() == 0) m_first.store(now_ns());
    m_wakes.fetch_add(1);
    m_wakes.notify_all();
  }
  int wakes() const { return m_wakes.load(); }
  nanos first() {
    m_wakes.wait(0);
    return m_first.load();
  }

 private:
  std::atomic<int> m_wakes{0};
  std::atomic<nanos> m_first{0};
};

// The bug: a heap that forgets some, wakes some twice, or before their time.
TEST(timer, each_is_woken_once_and_not_early) {
  constexpr int timers = 200;
  std::deque<counted> parties(timers);
  std::deque<timer> all(timers);
  std::vector<nanos> at(timers);
  const nanos start = now_ns() + 2'000'000;
  for (int i = 0; i < timers; ++i) {
    at[i] = start + (i * 7'919 % timers) * 20'000;  // in no order
    all[i].arm(parties[i], at[i]);
  }
  for (int i = 0; i < timers; i += 3) all[i].disarm();  // from anywhere in the heap; some have fired
  for (int i = 0; i < timers; ++i) {
    if (i % 3 != 0) EXPECT_GE(parties[i].first(), at[i]);
  }
  for (auto& t : all) t.disarm();
  for (const auto& p : parties) EXPECT_LE(p.wakes(), 1);
}

// The bug: the thread sleeps on until the deadline that it knew of.
TEST(timer, an_earlier_one_is_not_slept_through) {
  counted late, early;
  timer hour, soon;
  hour.arm(late, now_ns() + 3'600'000'000'000);
  std::this_thread::sleep_for(10ms);  // about when the thread has gone to sleep
  soon.arm(early, now_ns() + 1'000'000);
  early.first();  // hangs
  EXPECT_EQ(late.wakes(), 0);
}

// The bug: one that was disarmed is woken all the same, or touched: its frame may be gone.
TEST(timer, disarmed_it_is_not_touched) {
  counted party, other;
  {
    auto gone = std::make_unique<timer>();
    gone->arm(party, now_ns() + 5'000'000);
  }
  timer later;
  later.arm(other, now_ns() + 6'000'000);
  other.first();
  EXPECT_EQ(party.wakes(), 0);
}

// The bug: what is disarmed just as it fires is seen half disarmed (ThreadSanitizer sees that).
TEST(timer, may_be_disarmed_as_it_fires) {
  std::deque<counted> parties(2'000);
  for (auto& p : parties) {
    timer t;
    t.arm(p, now_ns() + 20'000);
    while (p.wakes() == 0 && now_ns() % 64 != 0) {}
    t.disarm();
    t.arm(p, now_ns());  // may be used again at once
  }
  counted last;
  timer t;
  t.arm(last, now_ns());
  last.first();
  for (const auto& p : parties) EXPECT_LE(p.wakes(), 2);
}

// The bug: whom it wakes uses timers, for which the thread holds a lock.
TEST(timer, holds_nothing_while_it_wakes) {
  class arms_another final : public mortise::wait::parker {
   public:
    explicit arms_another(counted& n) : next{n} {}
    void unpark() noexcept override { t.arm(next, now_ns()); }
    counted& next;
    timer t;
  };
  counted last;
  arms_another first{last};
  timer t;
  t.arm(first, now_ns() + 1'000'000);
  last.first();  // hangs
}

}  // namespace
