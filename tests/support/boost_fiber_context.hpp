#pragma once

// mortise's locks in the fibers of Boost.Fiber: the model for other fiber libraries. docs/design/contexts.md goes through it.
//
//     foreign::boost_fibers::here installed;       // in each OS thread that runs fibers, while it does
//     boost::fibers::fiber([&] { const std::lock_guard hold{m}; ... }).join();

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/fiber/condition_variable.hpp>
#include <boost/fiber/context.hpp>
#include <boost/fiber/fss.hpp>
#include <boost/fiber/operations.hpp>

#include <mortise/wait/context.hpp>

namespace foreign {

// One object for all fibers of all threads: who runs is asked of Boost.
class boost_fibers final : public mortise::wait::context {
 public:
  class here;

  mortise::wait::parker& self() noexcept override { return mine(); }
  void park(mortise::nanos deadline) noexcept override { mine().park(deadline); }
  void yield() noexcept override { boost::this_fiber::yield(); }
  mortise::wait::party kind() const noexcept override {
    // Boost's dispatcher, which puts the OS thread to sleep when no fiber is ready, is none itself. Checked builds ask.
    using boost::fibers::type;
    return boost::fibers::context::active()->is_context(type::dispatcher_context)
               ? mortise::wait::party::thread
               : mortise::wait::party::fiber;
  }
  int refill_budget() noexcept override {  // fibers are not preempted: others get their turn here
    boost::this_fiber::yield();
    return 1000;
  }
  mortise::wait::parker* suspend_coroutine(void*, mortise::wait::waiter*) noexcept override {
    return nullptr;
  }

 private:
  // An OS thread with fibers. Boost's scheduler dies with the thread, so whoever wakes one of its fibers is waited for.
  struct station {
    std::atomic<int> wakers{0};
  };

  // Held for some five instructions. A mutex of Boost's could suspend the waker, which may be no fiber, or a fiber of somebody else.
  class spin {
   public:
    void lock() noexcept {
      while (m_held.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    }
    void unlock() noexcept { m_held.clear(std::memory_order_release); }

   private:
    std::atomic_flag m_held;
  };

  class fiber_parker final : public mortise::wait::parker {
   public:
    void unpark() noexcept override {
      station* at = nullptr;
      {
        const std::lock_guard hold{m_guard};
        m_permit = true;
        at = m_parked_at;
        if (at != nullptr)
          at->wakers.fetch_add(1, std::memory_order_relaxed);  // the guard orders it before the fiber's end
      }
      if (at == nullptr) return;  // it finds the permit when it parks
      m_woken.notify_one();
      at->wakers.fetch_sub(1, std::memory_order_release);
    }
    void park(mortise::nanos deadline) noexcept {
      std::unique_lock hold{m_guard};
      m_parked_at = this_station();
      const auto has_permit = [this] { return m_permit; };
      if (deadline == mortise::never) {
        m_woken.wait(hold, has_permit);
      } else {
        m_woken.wait_until(hold, mortise::steady::time_point{std::chrono::nanoseconds{deadline}}, has_permit);
      }
      m_parked_at = nullptr;
      m_permit = false;
    }

   private:
    spin m_guard;
    boost::fibers::condition_variable_any m_woken;
    station* m_parked_at = nullptr;
    bool m_permit = false;
  };

  // Recycled and never freed, since a waker may be late.
  template <class T>
  struct pool {
    std::mutex guard;
    std::vector<T*> free;

    static pool& all() {
      static pool& p = *new pool;  // never destroyed either
      return p;
    }
    static T* take() {
      const std::lock_guard hold{all().guard};
      if (all().free.empty()) return new T;
      T* const t = all().free.back();
      all().free.pop_back();
      return t;
    }
    static void give_back(T* t) {
      const std::lock_guard hold{all().guard};
      all().free.push_back(t);
    }
  };

  // A fiber's parker, from its first wait to its end.
  static boost::fibers::fiber_specific_ptr<fiber_parker>& of_fiber() {
    static auto& parkers =
        *new boost::fibers::fiber_specific_ptr<fiber_parker>{&pool<fiber_parker>::give_back};
    return parkers;
  }
  static fiber_parker& mine() {
    if (of_fiber().get() == nullptr) of_fiber().reset(pool<fiber_parker>::take());
    return *of_fiber();
  }

  // Never inlined: a fiber may go on in another thread, where this is another variable.
  [[gnu::noinline]] static station*& this_station() {
    static thread_local station* s = nullptr;
    return s;
  }
};

// Installed on the calling thread while this lives. Requires: its fibers have ended before.
class boost_fibers::here {
 public:
  here() {
    static boost_fibers& fibers = *new boost_fibers;
    this_station() = pool<station>::take();
    m_before = mortise::wait::exchange_context(&fibers);
  }
  ~here() {
    mortise::wait::exchange_context(m_before);
    station* const s = this_station();
    // acquire: what they did to Boost's scheduler comes before its end
    while (s->wakers.load(std::memory_order_acquire) != 0) std::this_thread::yield();
    pool<station>::give_back(s);
    of_fiber().reset(nullptr);  // the thread's own, of which Boost never says that it ends
  }
  here(const here&) = delete;
  here& operator=(const here&) = delete;

 private:
  mortise::wait::context* m_before;
};

}  // namespace foreign
