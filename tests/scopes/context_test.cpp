// Another fiber library supplies park and make-runnable, and our locks work in it: wait::context is public.
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include <mortise/mortise.hpp>
#include <support/lock_probe.hpp>

namespace {

namespace wait = mortise::wait;

// The smallest context there is: parks on a std::condition_variable.
class foreign_context final : public wait::context, public wait::parker {
 public:
  void unpark() noexcept override {
    {
      const std::lock_guard hold{m_guard};
      m_permit = true;
    }
    m_changed.notify_one();
  }
  wait::parker& self() noexcept override { return *this; }
  void park(mortise::nanos deadline) noexcept override {
    ++parks;
    std::unique_lock hold{m_guard};
    auto has_permit = [this] { return m_permit; };
    if (deadline == mortise::never) {
      m_changed.wait(hold, has_permit);
    } else {
      m_changed.wait_until(hold, mortise::steady::time_point{std::chrono::nanoseconds{deadline}}, has_permit);
    }
    m_permit = false;
  }
  void yield() noexcept override { std::this_thread::yield(); }
  wait::party kind() const noexcept override { return wait::party::thread; }  // it does block its OS thread
  int refill_budget() noexcept override { return 1000; }
  wait::parker* suspend_coroutine(void*, wait::waiter*) noexcept override { return nullptr; }
  unsigned long id() const noexcept override { return 77; }

  int parks = 0;

 private:
  std::mutex m_guard;
  std::condition_variable m_changed;
  bool m_permit = false;
};

TEST(context, locks_work_in_a_foreign_one) {
  static foreign_context mine;  // parkers outlive every waker
  mortise::mutex m;
  m.lock();
  std::jthread waiter([&] {
    EXPECT_EQ(wait::exchange_context(&mine), nullptr);
    EXPECT_EQ(&wait::this_context(), &mine);
    {
      const std::lock_guard hold{m};
      EXPECT_FALSE(m.try_lock_for(std::chrono::hours(-1)));
    }
    EXPECT_EQ(wait::exchange_context(nullptr), &mine);
  });
  mortise::lock_probe::wait_for_waiters(m, 1);
  m.unlock();
  waiter.join();
  EXPECT_GE(mine.parks, 1);
  std::jthread late([&] {
    wait::exchange_context(&mine);
    m.lock();
    m.unlock();
    wait::exchange_context(nullptr);
  });
}

}  // namespace
