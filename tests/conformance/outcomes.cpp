// How a wait ends: each kind of holder, each kind of waiter, each end, for all that can be waited for in several ways.
#include <gtest/gtest.h>

#include <optional>
#include <stop_token>
#include <thread>

#include <mortise/lock/semaphore.hpp>
#include <mortise/lock/shared_mutex.hpp>
#include <mortise/mortise.hpp>
#include <support/family_probe.hpp>
#include <support/foreign.hpp>
#include <support/lock_probe.hpp>

namespace conformance {
namespace {

using namespace std::chrono_literals;
using mortise::family_probe;
using mortise::outcome;
using mortise::wait::executor;
using std::chrono::nanoseconds;

outcome if_acquired(bool yes) { return yes ? outcome::acquired : outcome::timed_out; }

// What is waited for: how the holder has it, and how the waiter gets it, and gives it back at once.
struct locked {
  using lock = mortise::mutex;
  static constexpr const char* name = "mutex";
  static unsigned waiters(lock& m) { return mortise::lock_probe::waiters(m); }
  static void hold(lock& m) { m.lock(); }
  static mortise::task<> async_hold(lock& m) { (co_await m.async_lock()).release(); }
  static void free(lock& m) { m.unlock(); }

  static outcome wait(lock& m, std::stop_token stop) {
    return given_back(m, m.lock_or_stop(std::move(stop)));
  }
  static outcome wait(lock& m, nanoseconds d) { return given_back(m, if_acquired(m.try_lock_for(d))); }
  static auto async_wait(lock& m, std::stop_token stop, executor* where) {
    return m.async_lock_or_stop(std::move(stop), where);
  }
  static auto async_wait(lock& m, nanoseconds d, executor* where) { return m.async_lock_for(d, where); }
  static outcome given_back(lock& m, outcome how) {
    if (how == outcome::acquired) m.unlock();
    return how;
  }
  template <class Hold>
  static outcome given_back(lock&, const mortise::lock_result<Hold>& result) {
    EXPECT_EQ(result.hold.owns_lock(), result.how == outcome::acquired);
    return result.how;
  }
  template <class Hold>
    requires requires(const Hold& h) { h.owns_lock(); }
  static outcome given_back(lock&, const Hold& hold) {
    return if_acquired(hold.owns_lock());
  }
};

struct permitted {
  struct lock : mortise::binary_semaphore {
    lock() : mortise::binary_semaphore{1} {}
  };
  static constexpr const char* name = "semaphore";
  static unsigned waiters(lock& s) { return family_probe::waiters(s); }
  static void hold(lock& s) { s.acquire(); }
  static mortise::task<> async_hold(lock& s) { co_await s.async_acquire(); }
  static void free(lock& s) { s.release(); }

  static outcome wait(lock& s, std::stop_token stop) {
    return given_back(s, s.acquire_or_stop(std::move(stop)));
  }
  static outcome wait(lock& s, nanoseconds d) { return given_back(s, s.try_acquire_for(d)); }
  static auto async_wait(lock& s, std::stop_token stop, executor* where) {
    return s.async_acquire_or_stop(std::move(stop), where);
  }
  static auto async_wait(lock& s, nanoseconds d, executor* where) {
    return s.async_try_acquire_for(d, where);
  }
  static outcome given_back(lock& s, outcome how) {
    if (how == outcome::acquired) s.release();
    return how;
  }
  static outcome given_back(lock& s, bool got) { return given_back(s, if_acquired(got)); }
};

// A writer waits for a reader.
struct written {
  using lock = mortise::shared_mutex;
  static constexpr const char* name = "shared_mutex_written";
  static unsigned waiters(lock& m) { return family_probe::waiters(m); }
  static void hold(lock& m) { m.lock_shared(); }
  static mortise::task<> async_hold(lock& m) { (co_await m.async_lock_shared()).release(); }
  static void free(lock& m) { m.unlock_shared(); }

  static outcome wait(lock& m, std::stop_token stop) {
    return given_back(m, m.lock_or_stop(std::move(stop)));
  }
  static outcome wait(lock& m, nanoseconds d) { return given_back(m, if_acquired(m.try_lock_for(d))); }
  static auto async_wait(lock& m, std::stop_token stop, executor* where) {
    return m.async_lock_or_stop(std::move(stop), where);
  }
  static auto async_wait(lock& m, nanoseconds d, executor* where) { return m.async_lock_for(d, where); }
  static outcome given_back(lock& m, outcome how) {
    if (how == outcome::acquired) m.unlock();
    return how;
  }
  template <class Result>
  static outcome given_back(lock&, const Result& result) {
    if constexpr (requires { result.how; })
      return result.how;
    else
      return if_acquired(result.owns_lock());
  }
};

// The same where readers are counted in slots: those that hold it, and those that come.
struct written_with_slots : written {
  struct lock : mortise::shared_mutex {
    lock() { family_probe::give_slots(*this); }
  };
  static constexpr const char* name = "shared_mutex_written_with_slots";
};

// A reader waits for a writer.
struct read : written {
  static constexpr const char* name = "shared_mutex_read";
  static void hold(lock& m) { m.lock(); }
  static mortise::task<> async_hold(lock& m) { (co_await m.async_lock()).release(); }
  static void free(lock& m) { m.unlock(); }

  static outcome wait(lock& m, std::stop_token stop) {
    return given_back(m, m.lock_shared_or_stop(std::move(stop)));
  }
  static outcome wait(lock& m, nanoseconds d) { return given_back(m, if_acquired(m.try_lock_shared_for(d))); }
  static auto async_wait(lock& m, std::stop_token stop, executor* where) {
    return m.async_lock_shared_or_stop(std::move(stop), where);
  }
  static auto async_wait(lock& m, nanoseconds d, executor* where) {
    return m.async_lock_shared_for(d, where);
  }
  using written::given_back;
  static outcome given_back(lock& m, outcome how) {
    if (how == outcome::acquired) m.unlock_shared();
    return how;
  }
};
struct read_with_slots : read {
  using lock = written_with_slots::lock;
  static constexpr const char* name = "shared_mutex_read_with_slots";
};

enum class kind { thread, fiber, task, foreign_coroutine };
constexpr const char* names[] = {"thread", "fiber", "task", "foreign coroutine"};

// One has it, one waits for it, each of its kind.
template <class Way>
class meeting {
 public:
  explicit meeting(kind holder) {
    const auto blocking = [this] {
      Way::hold(m);
      m_held.store(true);
      while (!m_free.load()) mortise::yield();
      Way::free(m);
    };
    switch (holder) {
      case kind::thread: m_holder.emplace(blocking); break;
      case kind::fiber: m_tasks.go(blocking); break;
      default:
        m_tasks.go([this]() -> mortise::task<> {
          co_await Way::async_hold(m);
          m_held.store(true);
          while (!m_free.load()) co_await mortise::async_yield();
          Way::free(m);
        });
    }
    while (!m_held.load()) std::this_thread::yield();
  }

  // `until`: a stop token, or for how long.
  template <class Until>
  void wait(kind waiter, Until until) {
    const auto blocking = [this, until] { ended(Way::wait(m, until)); };
    switch (waiter) {
      case kind::thread: m_waiter.emplace(blocking); break;
      case kind::fiber: m_tasks.go(blocking); break;
      case kind::task:
        m_tasks.go([this, until]() -> mortise::task<> {
          ended(Way::given_back(m, co_await Way::async_wait(m, until, nullptr)));
        });
        break;
      case kind::foreign_coroutine:
        frame.emplace([](meeting& me, Until u) -> foreign::coroutine {
          me.ended(Way::given_back(me.m, co_await Way::async_wait(me.m, u, &me.jobs)));
        }(*this, until));
    }
  }
  void await_waiters(unsigned n) {
    while (Way::waiters(m) != n) std::this_thread::yield();
  }
  void free() { m_free.store(true); }
  outcome how() {
    while (m_how.load() == none) {
      jobs.run_all();
      std::this_thread::yield();
    }
    return static_cast<outcome>(m_how.load());
  }
  bool has_ended() const { return m_how.load() != none; }

  ~meeting() {
    free();
    m_holder.reset();
    m_waiter.reset();
    m_tasks.join();
    EXPECT_EQ(Way::waiters(m), 0u);
    EXPECT_EQ(Way::wait(m, 0ns), outcome::acquired) << "nobody holds it in the end";
  }

  typename Way::lock m;
  foreign::manual_executor jobs;
  std::optional<foreign::coroutine> frame;

 private:
  static constexpr int none = -1;
  void ended(outcome how) { m_how.store(static_cast<int>(how)); }

  std::atomic<bool> m_held{false}, m_free{false};
  std::atomic<int> m_how{none};
  mortise::runtime m_runtime{{.workers = 2}};
  mortise::task_scope m_tasks{m_runtime};
  std::optional<std::jthread> m_holder, m_waiter;
};

template <class Way>
class outcomes : public testing::Test {
 protected:
  template <class F>
  static void for_each_holder(F f) {
    for (const kind holder : {kind::thread, kind::fiber, kind::task}) {
      SCOPED_TRACE(names[static_cast<int>(holder)]);
      f(holder);
    }
  }
  template <class F>
  static void for_each_pair(F f) {
    for_each_holder([&](kind holder) {
      for (const kind waiter : {kind::thread, kind::fiber, kind::task, kind::foreign_coroutine}) {
        SCOPED_TRACE(names[static_cast<int>(waiter)]);
        f(holder, waiter);
      }
    });
  }
};
struct way_names {
  template <class Way>
  static std::string GetName(int) {
    return Way::name;
  }
};
using ways = testing::Types<locked, permitted, written, written_with_slots, read, read_with_slots>;
TYPED_TEST_SUITE(outcomes, ways, way_names);

// The bug: a kind of holder wakes not every kind of waiter.
TYPED_TEST(outcomes, granted) {
  this->for_each_pair([](kind holder, kind waiter) {
    std::stop_source stop;
    meeting<TypeParam> two{holder};
    two.wait(waiter, stop.get_token());
    two.await_waiters(1);
    EXPECT_FALSE(two.has_ended());
    two.free();
    EXPECT_EQ(two.how(), outcome::acquired);
  });
}

// The bug: a kind of waiter has no clock.
TYPED_TEST(outcomes, timed_out) {
  this->for_each_pair([](kind holder, kind waiter) {
    meeting<TypeParam> two{holder};
    two.wait(waiter, nanoseconds(1ms));
    EXPECT_EQ(two.how(), outcome::timed_out);
  });
}

// The bug: a kind of waiter does not hear it, before it waits or while it does.
TYPED_TEST(outcomes, stopped) {
  this->for_each_pair([](kind holder, kind waiter) {
    for (const bool before : {false, true}) {
      std::stop_source stop;
      meeting<TypeParam> two{holder};
      if (before) stop.request_stop();
      two.wait(waiter, stop.get_token());
      if (!before) {
        two.await_waiters(1);
        EXPECT_FALSE(two.has_ended());
        stop.request_stop();
      }
      EXPECT_EQ(two.how(), outcome::stopped);
    }
  });
}

// The bug: a frame that goes away while it waits stays queued, or keeps what it was told of.
TYPED_TEST(outcomes, destroyed) {
  this->for_each_holder([](kind holder) {
    for (const bool told : {false, true}) {
      std::stop_source stop;
      meeting<TypeParam> two{holder};
      two.wait(kind::foreign_coroutine, stop.get_token());
      two.await_waiters(1);
      if (told) {
        two.free();
        while (two.jobs.empty()) std::this_thread::yield();
      }
      two.frame->destroy();
      stop.request_stop();
      EXPECT_EQ(TypeParam::waiters(two.m), 0u);
      EXPECT_EQ(two.jobs.run_all(), told ? 1u : 0u);
      EXPECT_FALSE(two.has_ended());
    }
  });
}

}  // namespace
}  // namespace conformance
