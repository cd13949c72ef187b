// Processes that share a value are killed at any moment, thousands of them.
#include "hammer.hpp"

#include <gtest/gtest.h>

#include <mortise/mortise.hpp>

#include "ghosts.hpp"
#include "ours.hpp"
#include "refusal.hpp"

// Children start threads although their parent has some.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }

namespace crash {
namespace {

namespace shm = mortise::shm;

hammering_plan kills(unsigned normally) {
  hammering_plan plan;
  plan.seed = std::random_device{}();
  plan.kills = in_full() ? 10'000 : normally;
  if (!in_full()) plan.limit = std::chrono::seconds{8};
  return plan;
}

void expect_nothing(const char* what, const hammering_result& r, const hammering_plan& plan) {
  say(what, r, plan);
  EXPECT_EQ(r.found.what, finding::nothing) << r.found.how;
  EXPECT_GE(r.kills, in_full() ? plan.kills : 1u);
  if (r.kills < 100) return;  // a busy machine
  EXPECT_GT(r.kills_inside, 0u);
  EXPECT_GT(r.told, 0u);
}

class hammering_processes : public testing::Test {
 protected:
  void SetUp() override {
    if (mortise::test::emulated()) GTEST_SKIP() << "the emulator ends in a child that starts threads";
    if (under_valgrind())
      GTEST_SKIP() << "valgrind runs one thread at a time, and each change takes it milliseconds";
  }
};

// The bug: a lock that stays with the dead, a value that is half of one, a change that is lost although it was acknowledged. 16
// processes of one thread each.
TEST_F(hammering_processes, of_one_thread_lose_nothing_when_they_are_killed) {
  using scene = hammering<16, 1>;
  scene h;
  ours<scene::value> s{scene::initial()};
  const auto plan = kills(300);
  const auto live = [&](unsigned i) {
    ours<scene::value> mine{s.where()};
    while (!h.over()) {
      h.change(mine, i);
      h.look(mine);
    }
  };
  expect_nothing("threads", h.run(s, live, plan), plan);
}

mortise::runtime_options workers(unsigned n) {
  mortise::runtime_options o;
  o.workers = n;
  o.precise_sleep = false;
  o.stall_report = std::chrono::milliseconds{0};
  return o;
}

// The bug: a process dies in the order keeper, fiber, and what the fiber still does falls into the next one's section. 16
// processes with two fibers on two workers behind a keeper each, and a thread beside them.
TEST_F(hammering_processes, of_fibers_lose_nothing_when_they_are_killed) {
  using scene = hammering<16, 3>;
  scene h;
  ours<scene::value> s{scene::initial()};
  const auto plan = kills(300);
  const auto live = [&](unsigned i) {
    ours<scene::value> mine{s.where()};
    mortise::runtime runtime{workers(2)};
    mortise::task_scope tasks{runtime};
    const auto change = [&](unsigned party) {
      std::mt19937 draw{party};
      while (!h.over()) {
        h.change(mine, party);
        // Without it 64 threads compete for the processors, and it is long until a thread that was killed runs its last.
        mortise::sleep_for(std::chrono::microseconds{draw() % 2'000});
      }
    };
    for (unsigned k = 1; k < 3; ++k) tasks.go([&, k] { change(3 * i + k); });
    change(3 * i);
    tasks.join();
  };
  expect_nothing("fibers", h.run(s, live, plan), plan);
}

// The bug: the keeper of the dead is gone and the lock is free, while a fiber of the dead stores on.
TEST_F(hammering_processes, of_fibers_are_silent_before_the_next_one_is_inside) {
  ours<sealed<64>> s{sealed_with<64>(1)};
  long_store store;
  const auto live = [&] {
    ours<sealed<64>> mine{s.where()};
    mortise::runtime runtime{workers(1)};
    mortise::task_scope tasks{runtime};
    tasks.go([&] { mine.update([&](auto&, tenure_facts) { store.store(); }); });
    tasks.join();
  };
  const auto found = look_for_ghosts(s, store, live, in_full() ? 200 : 10);
  EXPECT_EQ(found.what, finding::nothing) << found.how;
}

}  // namespace
}  // namespace crash
