// Whatever can be waited for, and whoever waits: it stands in a dump once, under its name, and then no more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <mortise/insight/dump.hpp>
#include <mortise/mortise.hpp>
#include <mortise/shm/mutex.hpp>
#include <support/emulated.hpp>
#include <support/foreign.hpp>
#include <support/forked.hpp>
#include <support/tired_context.hpp>
#include <support/wait_ledger.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::task;
using mortise::insight::dump;
using mortise::test::await;
using mortise::test::wait_ledger;
using testing::ContainsRegex;
using testing::HasSubstr;

// One way to wait. What is waited for lives as long as this.
struct way {
  std::string kind;
  bool bounded;
  std::function<void()> block;      // as a thread or fiber
  std::function<task<>()> suspend;  // as a coroutine
  std::function<void()> open;       // lets it go, on the thread that made the way
};

enum class bounds { none, time, stop };
constexpr bounds all_bounds[]{bounds::none, bounds::time, bounds::stop};

way at_mutex(bounds b) {
  const auto m = std::make_shared<mortise::mutex>();
  m->lock();
  return {"mutex", b == bounds::time,
          [=] {
            if (b == bounds::none) m->lock();
            if (b == bounds::time) EXPECT_TRUE(m->try_lock_for(1h));
            if (b == bounds::stop) EXPECT_EQ(m->lock_or_stop({}), mortise::outcome::acquired);
            m->unlock();
          },
          [=]() -> task<> {
            if (b == bounds::none) const auto hold = co_await m->async_lock();
            if (b == bounds::time) const auto hold = co_await m->async_lock_for(1h);
            if (b == bounds::stop) const auto got = co_await m->async_lock_or_stop({});
          },
          [=] { m->unlock(); }};
}

way at_once() {
  struct state {
    mortise::once_flag flag;
    mortise::latch begun{1}, ends{1};
    std::jthread first{[this] {
      mortise::call_once(flag, [this] {
        begun.count_down();
        while (!ends.try_wait()) std::this_thread::sleep_for(1ms);
      });
    }};
  };
  const auto s = std::make_shared<state>();
  while (!s->begun.try_wait()) std::this_thread::sleep_for(1ms);
  return {"mutex", false, [=] { mortise::call_once(s->flag, [] {}); },
          [=]() -> task<> { co_await mortise::async_call_once(s->flag, [] {}); },
          [=] { s->ends.count_down(); }};
}

template <bool Writes>
way at_shared_mutex(bounds b) {
  const auto m = std::make_shared<mortise::shared_mutex>();
  m->lock();
  const std::string kind = Writes ? "shared_mutex, to write" : "shared_mutex, to read";
  return {kind, b == bounds::time,
          [=] {
            if constexpr (Writes) {
              if (b == bounds::none) m->lock();
              if (b == bounds::time) EXPECT_TRUE(m->try_lock_for(1h));
              if (b == bounds::stop) EXPECT_EQ(m->lock_or_stop({}), mortise::outcome::acquired);
              m->unlock();
            } else {
              if (b == bounds::none) m->lock_shared();
              if (b == bounds::time) EXPECT_TRUE(m->try_lock_shared_for(1h));
              if (b == bounds::stop) EXPECT_EQ(m->lock_shared_or_stop({}), mortise::outcome::acquired);
              m->unlock_shared();
            }
          },
          [=]() -> task<> {
            if constexpr (Writes) {
              if (b == bounds::none) const auto hold = co_await m->async_lock();
              if (b == bounds::time) const auto hold = co_await m->async_lock_for(1h);
              if (b == bounds::stop) const auto got = co_await m->async_lock_or_stop({});
            } else {
              if (b == bounds::none) const auto hold = co_await m->async_lock_shared();
              if (b == bounds::time) const auto hold = co_await m->async_lock_shared_for(1h);
              if (b == bounds::stop) const auto got = co_await m->async_lock_shared_or_stop({});
            }
          },
          [=] { m->unlock(); }};
}

way at_semaphore(bounds b) {
  const auto s = std::make_shared<mortise::binary_semaphore>(0);
  return {"semaphore", b == bounds::time,
          [=] {
            if (b == bounds::none) s->acquire();
            if (b == bounds::time) EXPECT_TRUE(s->try_acquire_for(1h));
            if (b == bounds::stop) EXPECT_EQ(s->acquire_or_stop({}), mortise::outcome::acquired);
          },
          [=]() -> task<> {
            if (b == bounds::none) co_await s->async_acquire();
            if (b == bounds::time) co_await s->async_try_acquire_for(1h);
            if (b == bounds::stop) co_await s->async_acquire_or_stop({});
          },
          [=] { s->release(); }};
}

way at_latch(bounds b) {
  const auto l = std::make_shared<mortise::latch>(1);
  return {"latch", b == bounds::time,
          [=] {
            if (b == bounds::none) l->wait();
            if (b == bounds::time) EXPECT_TRUE(l->wait_for(1h));
            if (b == bounds::stop) EXPECT_EQ(l->wait_or_stop({}), mortise::outcome::acquired);
          },
          [=]() -> task<> {
            if (b == bounds::none) co_await l->async_wait();
            if (b == bounds::time) co_await l->async_wait_for(1h);
            if (b == bounds::stop) co_await l->async_wait_or_stop({});
          },
          [=] { l->count_down(); }};
}

way at_condition_variable(bounds b) {
  struct state {
    mortise::mutex m;
    mortise::condition_variable changed;
    bool ready = false;
  };
  const auto s = std::make_shared<state>();
  return {"condition_variable", b == bounds::time,
          [=] {
            const auto ready = [&] { return s->ready; };
            std::unique_lock hold{s->m};
            if (b == bounds::none) s->changed.wait(hold, ready);
            if (b == bounds::time) EXPECT_TRUE(s->changed.wait_for(hold, 1h, ready));
            if (b == bounds::stop) EXPECT_TRUE(s->changed.wait(hold, {}, ready));
          },
          [=]() -> task<> {
            std::unique_lock hold = co_await s->m.async_lock();
            while (!s->ready) {
              if (b == bounds::none) co_await s->changed.async_wait(hold);
              if (b == bounds::time) co_await s->changed.async_wait_for(hold, 1h);
              if (b == bounds::stop) co_await s->changed.async_wait_or_stop(hold, {});
            }
          },
          [=] {
            const std::lock_guard hold{s->m};
            s->ready = true;
            s->changed.notify_all();
          }};
}

way at_another_lock() {
  struct state {
    std::mutex m;
    mortise::condition_variable changed;
    bool ready = false;
  };
  const auto s = std::make_shared<state>();
  return {"condition_variable",
          false,
          [=] {
            std::unique_lock hold{s->m};
            s->changed.wait(hold, [&] { return s->ready; });
          },
          {},
          [=] {
            const std::lock_guard hold{s->m};
            s->ready = true;
            s->changed.notify_all();
          }};
}

way at_condition(bounds b) {
  const auto g = std::make_shared<mortise::guarded<int>>(0);
  const auto is_one = [](int v) { return v == 1; };
  return {"condition", b == bounds::time,
          [=] {
            if (b == bounds::none) g->with_when(is_one, [](int&) {});
            if (b == bounds::time) EXPECT_TRUE(g->with_when_for(1h, is_one, [](int&) {}));
            if (b == bounds::stop) EXPECT_TRUE(g->with_when_or_stop({}, is_one, [](int&) {}));
          },
          [=]() -> task<> {
            if (b == bounds::none) co_await g->async_with_when(is_one, [](int&) {});
            if (b == bounds::time)
              static_cast<void>(co_await g->async_with_when_for(1h, is_one, [](int&) {}));
            if (b == bounds::stop)
              static_cast<void>(co_await g->async_with_when_or_stop({}, is_one, [](int&) {}));
          },
          [=] { g->with([](int& v) { v = 1; }); }};
}

// Waits for the mutex before it can look at the condition.
way at_mutex_of_condition(bounds b) {
  struct state {
    mortise::guarded<int> g{1};
    std::atomic<bool> inside{false}, ends{false};
    std::jthread holder{[this] {
      g.with([this](int&) {
        inside = true;
        while (!ends) std::this_thread::sleep_for(1ms);
      });
    }};
  };
  const auto s = std::make_shared<state>();
  while (!s->inside) std::this_thread::sleep_for(1ms);
  const auto any = [](int) { return true; };
  return {"mutex", b == bounds::time,
          [=] {
            if (b == bounds::none) s->g.with_when(any, [](int&) {});
            if (b == bounds::time) EXPECT_TRUE(s->g.with_when_for(1h, any, [](int&) {}));
            if (b == bounds::stop) EXPECT_TRUE(s->g.with_when_or_stop({}, any, [](int&) {}));
          },
          [=]() -> task<> {
            if (b == bounds::none) co_await s->g.async_with_when(any, [](int&) {});
            if (b == bounds::time) static_cast<void>(co_await s->g.async_with_when_for(1h, any, [](int&) {}));
            if (b == bounds::stop)
              static_cast<void>(co_await s->g.async_with_when_or_stop({}, any, [](int&) {}));
          },
          [=] { s->ends = true; }};
}

way at_join() {
  struct state {
    mortise::task_scope tasks;
    std::stop_source ends;
  };
  const auto s = std::make_shared<state>();
  s->tasks.go([ends = s->ends.get_token()] { mortise::sleep_for(1h, ends); });
  return {"task_scope", false, [=] { s->tasks.join(); }, [=]() -> task<> { co_await s->tasks.async_join(); },
          [=] { s->ends.request_stop(); }};
}

way at_shm_mutex(bounds b) {
  const auto m = std::make_shared<mortise::shm::mutex>(mortise::shm::place::anonymous());
  m->lock();
  return {"shm mutex", b == bounds::time,
          [=] {
            if (b == bounds::none) m->lock();
            if (b == bounds::time) EXPECT_TRUE(m->try_lock_for(1h));
            if (b == bounds::stop)
              EXPECT_EQ(m->lock_or_stop(std::stop_source{}.get_token()), mortise::outcome::acquired);
            m->unlock();
          },
          [=]() -> task<> {
            if (b == bounds::none) const auto hold = co_await m->async_lock();
            if (b == bounds::time) const auto hold = co_await m->async_lock_for(1h);
            if (b == bounds::stop)
              const auto got = co_await m->async_lock_or_stop(std::stop_source{}.get_token());
          },
          [=] { m->unlock(); }};
}

std::vector<std::function<way()>> all_ways() {
  std::vector<std::function<way()>> all{at_once, at_another_lock, at_join};
  for (const bounds b : all_bounds) {
    for (way (*const at)(bounds) : {at_mutex, at_shared_mutex<false>, at_shared_mutex<true>, at_semaphore,
                                    at_latch, at_condition_variable, at_condition, at_mutex_of_condition})
      all.emplace_back([=] { return at(b); });
    if (!mortise::test::emulated()) all.emplace_back([=] { return at_shm_mutex(b); });
  }
  return all;
}

// `done` once it is through.
foreign::detached go_through(const way& w, std::atomic<bool>& done) {
  co_await w.suspend();
  done = true;
}

class every_wait : public testing::Test {
 protected:
  void SetUp() override { mortise::insight::watch_waits(mortise::insight::stacks::left_out); }
  void TearDown() override { mortise::insight::ignore_waits(mortise::insight::stacks::left_out); }

  static std::string eventually(const std::string& part) {
    std::string text;
    for (int i = 0; i < 10'000; ++i) {
      text = dump();
      if (text.find(part) != std::string::npos) return text;
      std::this_thread::sleep_for(1ms);
    }
    ADD_FAILURE() << "never: " << part << "\n" << text;
    return text;
  }

  // One waits, is seen, and goes; `party` is what a dump calls it. `begin` makes it wait, `end` returns once it is through.
  static void waits_once(const way& w, const std::string& party, const std::function<void()>& begin,
                         const std::function<void()>& end) {
    SCOPED_TRACE(party + " at a " + w.kind + (w.bounded ? ", bounded" : ""));
    const wait_ledger& told = wait_ledger::begin();
    begin();
    const std::string seen = eventually(" waits for " + w.kind + " ");
    EXPECT_THAT(seen, HasSubstr("mortise: 1 party waits\n"));
    EXPECT_THAT(seen, ContainsRegex("\n" + party + " [0-9]+ waits for "));
    const auto waiting = told.waiting();
    EXPECT_EQ(waiting.size(), 1u);
    for (const auto& s : waiting) EXPECT_EQ(s.has_deadline, w.bounded);
    w.open();
    end();
    EXPECT_THAT(dump(), HasSubstr("mortise: 0 parties wait\n"));
    EXPECT_EQ(told.waiting().size(), 0u);
    EXPECT_EQ(told.wrong(), 0);
  }
};

// The bug: a thread that waits is not seen, is seen twice, or for ever.
TEST_F(every_wait, of_a_thread_is_seen_once) {
  for (const auto& make : all_ways()) {
    if (HasFailure()) return;  // each takes long that fails
    const way w = make();
    std::jthread party;
    waits_once(w, "thread", [&] { party = std::jthread{w.block}; }, [&] { party.join(); });
  }
}

// The bug: as above, of tasks.
TEST_F(every_wait, of_a_fiber_is_seen_once) {
  mortise::runtime r{{.workers = 2}};
  for (const auto& make : all_ways()) {
    if (HasFailure()) return;  // each takes long that fails
    const way w = make();
    std::atomic<bool> done{false};
    mortise::task_scope tasks{r};
    waits_once(
        w, "fiber",
        [&] {
          tasks.go([&] {
            w.block();
            done = true;
          });
        },
        [&] { await([&] { return done.load(); }); });
  }
}
TEST_F(every_wait, of_a_coroutine_is_seen_once) {
  mortise::runtime r{{.workers = 2}};
  for (const auto& make : all_ways()) {
    if (HasFailure()) return;  // each takes long that fails
    const way w = make();
    if (!w.suspend) continue;
    std::atomic<bool> done{false};
    mortise::task_scope tasks{r};
    waits_once(
        w, "coroutine",
        [&] {
          tasks.go([&]() -> task<> {
            co_await w.suspend();
            done = true;
          });
        },
        [&] { await([&] { return done.load(); }); });
  }
}

// The bug: one that is no task of ours is called a thread, after whoever made it wait.
TEST_F(every_wait, of_a_coroutine_of_somebody_else_is_seen_once) {
  for (const auto& make : all_ways()) {
    if (HasFailure()) return;  // each takes long that fails
    const way w = make();
    if (!w.suspend) continue;
    std::atomic<bool> done{false};
    waits_once(w, "coroutine", [&] { go_through(w, done); }, [&] { await([&] { return done.load(); }); });
  }
}

// The bug: who has run for long gives way before it waits, and is not seen when it waits then.
TEST_F(every_wait, of_a_coroutine_that_gave_way_first_is_seen_once) {
  for (const auto& make : all_ways()) {
    if (HasFailure()) return;  // each takes long that fails
    const way w = make();
    if (!w.suspend) continue;
    std::atomic<bool> done{false};
    waits_once(
        w, "coroutine",
        [&] {
          const foreign::tired here;
          go_through(w, done);
        },
        [&] { await([&] { return done.load(); }); });
  }
}

// The bug: a frame that is destroyed waits for ever, or another one's wait is ended in its place.
TEST_F(every_wait, ends_with_the_frame) {
  for (const auto& make : all_ways()) {
    if (HasFailure()) return;  // each takes long that fails
    const way w = make();
    if (!w.suspend) continue;
    SCOPED_TRACE(w.kind);
    const wait_ledger& told = wait_ledger::begin();
    {
      const auto begin = [](const way& at) -> foreign::coroutine { co_await at.suspend(); };
      const auto frame = begin(w);
      EXPECT_TRUE(told.waits_for(w.kind));
    }
    EXPECT_THAT(dump(), HasSubstr("mortise: 0 parties wait\n"));
    EXPECT_EQ(told.waiting().size(), 0u);
    EXPECT_EQ(told.wrong(), 0);
    w.open();
  }
}

// The bug: who was notified, and waits for the mutex that others hold, is said to wait for a notification, and no deadlock is seen.
TEST_F(every_wait, of_one_who_was_notified_is_for_the_mutex) {
  const wait_ledger& told = wait_ledger::begin();
  mortise::mutex m;
  mortise::condition_variable changed;
  mortise::runtime r{{.workers = 1}};
  mortise::task_scope tasks{r};
  std::jthread thread{[&] {
    std::unique_lock hold{m};
    changed.wait_for(hold, 1h);
  }};
  eventually("mortise: 1 party waits\n");
  tasks.go([&]() -> task<> {
    std::unique_lock hold = co_await m.async_lock();
    co_await changed.async_wait(hold);
  });
  eventually("mortise: 2 parties wait\n");
  m.lock();
  changed.notify_all();
  const std::string text = dump();
  EXPECT_THAT(text, HasSubstr("mortise: 2 parties wait\n"));
  EXPECT_THAT(text, ContainsRegex("\nthread [0-9]+ waits for mutex 0x"));
  EXPECT_THAT(text, ContainsRegex("\ncoroutine [0-9]+ waits for mutex 0x"));
  for (const auto& s : told.waiting()) EXPECT_FALSE(s.has_deadline) << "the mutex is waited for without";
  m.unlock();
  thread.join();
  tasks.join();
  EXPECT_THAT(dump(), HasSubstr("mortise: 0 parties wait\n"));
  EXPECT_EQ(told.wrong(), 0);
}

// The bug: who is picked for a condition that holds, and has to wait for the mutex, is said to wait for the condition.
TEST_F(every_wait, of_one_whose_condition_holds_is_for_the_mutex) {
  const wait_ledger& told = wait_ledger::begin();
  mortise::guarded<int> g{0};
  foreign::manual_executor later;
  const auto waits = [](mortise::guarded<int>& of, mortise::wait::executor& where) -> foreign::coroutine {
    co_await of.async_with_when([](int v) { return v == 1; }, [](int&) {}, &where);
  };
  const auto frame = waits(g, later);
  EXPECT_THAT(dump(), HasSubstr(" waits for condition "));
  g.with([](int& v) { v = 1; });
  const std::string text = dump();
  EXPECT_THAT(text, HasSubstr("mortise: 1 party waits\n"));
  EXPECT_THAT(text, HasSubstr(" waits for mutex "));
  later.run_all();
  EXPECT_TRUE(frame.done());
  EXPECT_THAT(dump(), HasSubstr("mortise: 0 parties wait\n"));
  EXPECT_EQ(told.begun(), 1);
  EXPECT_EQ(told.wrong(), 0);
}

// The bug: the wait for a notification that has ended by its deadline, or the one for the mutex behind it, is told of twice, or not.
TEST_F(every_wait, of_one_who_gave_up_a_notification_ends_once) {
  const wait_ledger& told = wait_ledger::begin();
  mortise::mutex m;
  mortise::condition_variable changed;
  {
    std::unique_lock hold{m};
    EXPECT_EQ(changed.wait_for(hold, 20ms), std::cv_status::timeout);
  }
  mortise::runtime r{{.workers = 1}};
  mortise::task_scope tasks{r};
  std::atomic<bool> over{false};
  tasks.go([&]() -> task<> {
    std::unique_lock hold = co_await m.async_lock();
    EXPECT_EQ(co_await changed.async_wait_for(hold, 20ms), mortise::outcome::timed_out);
    over = true;
  });
  eventually(" waits for condition_variable ");
  m.lock();
  eventually(" waits for mutex ");
  m.unlock();
  await([&] { return over.load(); });
  EXPECT_EQ(told.waiting().size(), 0u);
  EXPECT_EQ(told.wrong(), 0);
}

// The bug: a lock between processes has an address that tells nobody anything, or its holder is another one than it is.
TEST_F(every_wait, for_a_lock_between_processes_names_it_and_the_process_that_holds_it) {
  if (mortise::test::emulated()) GTEST_SKIP() << "the emulator knows no robust mutexes";
  mortise::shm::mutex m{mortise::shm::place::anonymous()};
  const mortise::test::shared_with_children<std::atomic<int>> pid;
  const mortise::test::shared_with_children<std::atomic<bool>> ends;
  mortise::test::child other{[&] {
    const std::lock_guard hold{m};
    *pid = ::getpid();
    await([&] { return ends->load(); });
  }};
  await([&] { return *pid != 0; });
  mortise::runtime r{{.workers = 1}};
  mortise::task_scope tasks{r};
  tasks.go([&] { const std::lock_guard hold{m}; });
  std::jthread thread{[&] { const std::lock_guard hold{m}; }};
  const std::string text = eventually("mortise: 2 parties wait\n");
  for (const std::string party : {"thread", "fiber"}) {
    EXPECT_THAT(text, ContainsRegex(
                          "\n" + party +
                          " [0-9]+ waits for shm mutex '\\(anonymous\\)', since [0-9]+ ms, held by process " +
                          std::to_string(*pid) + "\n"));
  }
  *ends = true;
  thread.join();
  tasks.join();
  EXPECT_TRUE(other.succeeded());
}

}  // namespace
