// Who looks on is told of each wait, and of its end.
#include <mortise/wait/observer.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <mortise/lock/condition_variable.hpp>
#include <mortise/lock/guarded.hpp>
#include <mortise/lock/latch.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/lock/semaphore.hpp>
#include <mortise/lock/shared_mutex.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::wait::subject;

class witness : public mortise::wait::observer {
 public:
  void waits(const mortise::wait::waiter& n, subject s) noexcept override {
    const std::lock_guard hold{m_guard};
    m_with_deadline += s.has_deadline;
    m_waiting[&n] = s;
    ++m_begun[s.kind];
  }
  void waits_no_more(const mortise::wait::waiter& n) noexcept override {
    const std::lock_guard hold{m_guard};
    m_waiting.erase(&n);
  }
  void freed(subject, mortise::nanos) noexcept override { ++frees; }

  std::size_t waiting() const {
    const std::lock_guard hold{m_guard};
    return m_waiting.size();
  }
  bool anybody_waits_for(const void* what, const std::string& kind) const {
    const std::lock_guard hold{m_guard};
    for (const auto& [n, s] : m_waiting) {
      if (s.what == what && s.kind == kind) return true;
    }
    return false;
  }
  std::map<std::string, int> begun() const {
    const std::lock_guard hold{m_guard};
    return m_begun;
  }
  int with_deadline() const {
    const std::lock_guard hold{m_guard};
    return m_with_deadline;
  }
  std::atomic<int> frees{0};

 private:
  mutable std::mutex m_guard;
  std::map<const mortise::wait::waiter*, subject> m_waiting;
  std::map<std::string, int> m_begun;
  int m_with_deadline = 0;
};

// Told for good: what is told late must find somebody.
witness& told_anew() {
  static auto& all = *new std::vector<witness*>;
  if (!all.empty()) mortise::wait::ignore(*all.back());
  all.push_back(new witness);
  mortise::wait::observe(*all.back());
  return *all.back();
}

void eventually(const auto& holds) {
  for (int i = 0; i < 10'000 && !holds(); ++i) std::this_thread::sleep_for(1ms);
  ASSERT_TRUE(holds());
}

// The bug: a wait is not told of, under the wrong name, or for ever.
TEST(observed_waits, sees_each_kind_of_wait_and_its_end) {
  const witness& w = told_anew();
  const auto see = [&](const void* what, const char* kind, auto wait, auto end) {
    std::jthread waiter{wait};
    eventually([&] { return w.anybody_waits_for(what, kind); });
    end();
    waiter.join();
    EXPECT_EQ(w.waiting(), 0u) << kind;
  };
  mortise::mutex m;
  m.lock();
  see(&m, "mutex", [&] { const std::lock_guard hold{m}; }, [&] { m.unlock(); });
  mortise::shared_mutex s;
  s.lock();
  see(&s, "shared_mutex, to read", [&] { const std::shared_lock hold{s}; }, [&] { s.unlock(); });
  s.lock_shared();
  see(&s, "shared_mutex, to write", [&] { const std::lock_guard hold{s}; }, [&] { s.unlock_shared(); });
  mortise::binary_semaphore p{0};
  see(&p, "semaphore", [&] { p.acquire(); }, [&] { p.release(); });
  mortise::latch l{1};
  see(&l, "latch", [&] { l.wait(); }, [&] { l.count_down(); });
  mortise::condition_variable cv;
  bool ready = false;
  see(
      &cv, "condition_variable",
      [&] {
        std::unique_lock hold{m};
        cv.wait(hold, [&] { return ready; });
      },
      [&] {
        const std::lock_guard hold{m};
        ready = true;
        cv.notify_one();
      });
  mortise::guarded<int> g{0};
  std::jthread waiter{[&] { g.with_when([](int v) { return v == 1; }, [](int&) {}); }};
  eventually([&] { return w.begun().contains("condition"); });
  g.with([](int& v) { v = 1; });
  waiter.join();
  EXPECT_EQ(w.waiting(), 0u);
}

// The bug: who gives up is taken to wait on.
TEST(observed_waits, sees_the_end_of_waits_in_vain) {
  const witness& w = told_anew();
  mortise::mutex m;
  m.lock();
  std::jthread{[&] { EXPECT_FALSE(m.try_lock_for(50ms)); }}.join();
  mortise::binary_semaphore p{0};
  EXPECT_FALSE(p.try_acquire_for(50ms));
  mortise::condition_variable cv;
  std::mutex other;
  std::unique_lock hold{other};
  cv.wait_for(hold, 50ms);
  m.unlock();
  EXPECT_EQ(w.waiting(), 0u);
  EXPECT_EQ(w.begun().size(), 3u);
  EXPECT_EQ(w.with_deadline(), 3);
}

// The bug: who made others wait is not told of, or who made nobody wait is.
TEST(observed_waits, sees_that_a_lock_was_freed_for_others) {
  const witness& w = told_anew();
  mortise::mutex m;
  m.lock();
  m.unlock();
  EXPECT_EQ(w.frees, 0);
  m.lock();
  std::jthread waiter{[&] { const std::lock_guard hold{m}; }};
  eventually([&] { return w.anybody_waits_for(&m, "mutex"); });
  m.unlock();
  waiter.join();
  EXPECT_EQ(w.frees, 1);
}

// The bug: one who was taken out takes others with it, or is told on.
TEST(observed_waits, of_several_each_is_told_until_it_is_ignored) {
  static witness a, b, c;
  for (witness* w : {&a, &b, &c}) mortise::wait::observe(*w);
  mortise::wait::observe(b);  // twice is once
  mortise::wait::ignore(b);
  mortise::wait::ignore(b);
  mortise::binary_semaphore p{0};
  EXPECT_FALSE(p.try_acquire_for(50ms));
  mortise::wait::ignore(c);
  EXPECT_FALSE(p.try_acquire_for(50ms));
  mortise::wait::ignore(a);
  EXPECT_EQ(a.begun()["semaphore"], 2);
  EXPECT_EQ(b.begun()["semaphore"], 0);
  EXPECT_EQ(c.begun()["semaphore"], 1);
}

}  // namespace
