// A process is killed after each instruction of what it does with a value that it shares.
#include "stepping.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <thread>

#include <mortise/mortise.hpp>
#include <support/runtime_place.hpp>

#include "ours.hpp"
#include "refusal.hpp"
#include "traced_threads.hpp"
#include "updates.hpp"

namespace crash {
namespace {

using namespace std::chrono_literals;
namespace shm = mortise::shm;

class stepping : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* why = no_stepping()) GTEST_SKIP() << why;
  }

  // In the normal run a part of it, ours first; in full each instruction.
  static stepping_plan within(std::chrono::milliseconds budget) {
    stepping_plan plan;
    plan.seed = std::random_device{}();
    if (!in_full()) plan.budget = budget;
    return plan;
  }
};

void expect_nothing(const char* what, const stepping_result& r, const stepping_plan& plan) {
  say(what, r, plan);
  EXPECT_EQ(r.found.what, finding::nothing) << r.found.how;
  EXPECT_GE(r.deaths, plan.least);
}

template <std::size_t Bytes>
void update_is_all_or_nothing(const stepping_plan& plan) {
  updates<ours<sealed<Bytes>>, Bytes> scene;
  const auto r = scene.step(plan);
  expect_nothing("update", r, plan);
  std::printf("the old value %zu times, the new one %zu times; told %zu times\n", scene.seen().old_value,
              scene.seen().new_value, scene.seen().told);
  EXPECT_GT(scene.seen().old_value, 0u);
  EXPECT_GT(scene.seen().new_value, 0u);
  EXPECT_GT(scene.seen().told, 0u);
}

// The bug: a writer that is killed leaves half a value, keeps the lock, or its death is told twice or to nobody.
TEST_F(stepping, update_of_64_bytes_is_old_or_new_after_each_instruction) {
  update_is_all_or_nothing<64>(within(4s));
}

TEST_F(stepping, update_of_4096_bytes_is_old_or_new_after_each_instruction) {
  update_is_all_or_nothing<4096>(within(2s));
}

// The bug: one is killed between the store that frees the lock and the call that wakes who waits, and that one sleeps on.
TEST_F(stepping, one_that_unlocks_for_another_may_die_after_each_instruction) {
  using subject = ours<sealed<64>>;
  updates<subject, 64> scene;
  std::thread next;
  const auto act = [&](auto begin) { scene.change(scene.subject(), begin); };
  const auto ready = [&] {
    next = std::thread{[&] { scene.take(); }};
    std::this_thread::sleep_for(3ms);  // it asks for its turn by now
  };
  const auto check = [&](bool complete) {
    next.join();
    return scene.judge(complete);
  };
  const auto plan = within(2s);
  expect_nothing("unlock", step_through(act, ready, check, plan), plan);
  if (next.joinable()) next.join();
  EXPECT_GT(scene.seen().old_value, 0u);
  EXPECT_GT(scene.seen().new_value, 0u);
}

// The bug: one that is killed as it comes, or as it leaves, is taken for alive, or takes its place with it.
TEST_F(stepping, one_that_opens_it_may_die_after_each_instruction) {
  using subject = ours<sealed<64>>;
  updates<subject, 64> scene;
  const shm::place where = scene.subject().where();
  const auto act = [&](auto begin) {
    begin();
    subject mine{where};
    scene.change(mine);
  };
  auto plan = within(2s);
  plan.samples_loops = true;
  expect_nothing("open, update and close",
                 step_through(act, [&](bool complete) { return scene.check(complete); }, plan), plan);
}

// The bug: a half-made file keeps its name, and nobody can use or replace it.
TEST_F(stepping, one_that_makes_it_may_die_after_each_instruction) {
  using value = sealed<64>;
  const mortise::test::runtime_place directory;
  const auto first = sealed_with<64>(1), second = sealed_with<64>(2);
  const auto act = [&](auto begin) {
    begin();
    shm::guarded<value> mine{"made", first};
  };
  const auto check = [&](bool complete) -> verdict {
    try {
      std::optional<value> seen;
      {
        shm::guarded<value> other{"made", first};
        const auto r = other.try_update_for(10s, [&](value& v) {
          seen = v;
          v = second;
        });
        if (!r) return {finding::stuck, "nobody has the lock of what was made"};
        if (r.how == mortise::outcome::owner_died)
          return {finding::mistaken, "told of a death that was none"};
      }
      if (*seen != first) return {finding::torn, "what was made is not what it was to be"};
      if (complete && !std::filesystem::exists(directory.path("made")))
        return {finding::mistaken, "what was made is gone"};
    } catch (const std::exception& e) {
      return {finding::mistaken, std::string{"it cannot be opened: "} + e.what()};
    }
    std::filesystem::remove(directory.path("made"));
    // What a maker has left behind is in nobody's way, but it must not pile up for ever either.
    if (directory.entries().size() > 4)
      return {finding::mistaken, "half-made files pile up, such as " + directory.entries().front()};
    return {};
  };
  auto plan = within(2s);
  plan.samples_loops = true;
  expect_nothing("make", step_through(act, check, plan), plan);
}

// What those leave who waited in earnest, whatever they died of.
verdict nobody_stands_at_the_gate(shm::lock_block& block) {
  if (block.request.load() != 0) return {finding::mistaken, "a request stays that nobody makes"};
  const int how = ::pthread_mutex_trylock(&block.gate);
  if (how == EOWNERDEAD) ::pthread_mutex_consistent(&block.gate);  // the next one will find it so
  if (how != 0 && how != EOWNERDEAD)
    return {finding::stuck, "the gate is closed, errno " + std::to_string(how)};
  ::pthread_mutex_unlock(&block.gate);
  return {};
}

// The bug: who dies in the queue takes the lock, or its turn, with it. The lock is held while a child waits for so long that it
// asks for its turn, and is killed; another one that waits after it has the lock when it is free, and nobody is told of a death.
TEST_F(stepping, one_that_waits_may_die_after_each_instruction) {
  shm::mutex m{shm::place::anonymous()};
  const shm::place where = shm::place::descriptor(m.where().descriptor());
  m.lock();
  const auto act = [&](auto begin) {
    shm::mutex mine{where};
    static_cast<void>(mine.try_lock());  // as one who has been here before
    begin();
    mine.lock();
    mine.unlock();
  };
  const auto check = [&](bool) -> verdict {
    verdict found;
    std::thread next{[&] {
      if (!m.try_lock_for(10s)) {
        found = {finding::stuck, "who waits after the dead never has the lock"};
        return;
      }
      if (m.owner_died()) found = {finding::mistaken, "told of the death of one who only waited"};
      m.unlock();
    }};
    std::this_thread::sleep_for(3ms);
    m.unlock();
    next.join();
    if (!found && !m.try_lock_for(10s)) found = {finding::stuck, "the lock is not to be had again"};
    if (!found && m.owner_died()) found = {finding::mistaken, "told of the death of one who only waited"};
    if (!found) found = nobody_stands_at_the_gate(m.where().lock());
    return found;
  };
  auto plan = within(2s);
  plan.horizon = 800;
  const auto r = step_through(act, check, plan);
  expect_nothing("wait", r, plan);
  if (!r.found || r.found.what == finding::mistaken) m.unlock();
}

// The bug: the keeper of a process is killed between two things that belong together, such as the lock and the note of who has it;
// or its fiber is. Each thread of the process is stepped in turn while the others run, to instructions drawn at random.
TEST_F(stepping, each_thread_of_a_process_with_fibers_may_die_after_each_instruction) {
  using subject = ours<sealed<64>>;
  updates<subject, 64> scene;
  const shm::place where = scene.subject().where();
  const auto act = [&](auto begin) {
    subject mine{where};
    mortise::runtime_options o;
    o.workers = 1;
    o.stall_report = 0ms;
    mortise::runtime runtime{o};
    mortise::task_scope tasks{runtime};
    tasks.go([&] {
      mine.update([](auto&, tenure_facts) {});
      mortise::sleep_for(2ms);  // the keeper has closed the door again
      begin();
      scene.change(mine);
      mortise::sleep_for(2ms);
      tell_tracer(SIGUSR2);
    });
    tasks.join();
  };
  const std::chrono::seconds budget{in_full() ? 120 : 3};
  constexpr std::size_t least = 10;  // as in stepping_plan
  const auto end = std::chrono::steady_clock::now() + budget;
  const unsigned seed = std::random_device{}();
  std::mt19937 draw{seed};
  std::size_t deaths = 0, threads = 1;
  std::vector<std::size_t> longest(64, 0);
  verdict found;
  for (unsigned i = 0; !found && (std::chrono::steady_clock::now() < end || deaths < least); ++i) {
    const unsigned victim = i % threads;
    const std::size_t most = i < threads ? 4'000 : draw() % (longest[victim] + 2);
    traced_threads t{act};
    const auto how = t.step(victim, most);
    if (how == traced::state::fails || how == traced::state::hangs) {
      found = {finding::broken, how == traced::state::hangs ? "it hangs" : t.failure()};
      break;
    }
    threads = std::min<std::size_t>(t.threads(), longest.size());
    longest[victim] = std::max(longest[victim], t.steps());
    t.kill();
    found = scene.check(how == traced::state::ended);
    if (found)
      found.how += " (thread " + std::to_string(victim) + " killed after " + std::to_string(t.steps()) +
                   " instructions)";
    ++deaths;
  }
  std::printf("%zu deaths of %zu threads, %zu told, the new value %zu times; seed %u; instructions:", deaths,
              threads, scene.seen().told, scene.seen().new_value, seed);
  for (unsigned k = 0; k < threads; ++k) std::printf(" %zu", longest[k]);
  std::printf("\n");
  EXPECT_EQ(found.what, finding::nothing) << found.how;
  EXPECT_GE(deaths, least);
  EXPECT_GT(threads, 2u);
}

}  // namespace
}  // namespace crash
