// The run queue under every schedule, with room for 8 tasks in a model build.
#include <mortise/task/run_queue.hpp>

#include <array>

#include <explore/verify.hpp>

namespace {

using explore::require;
using explore::scoped_thread;
using mortise::task_detail::run_queue;
using mortise::task_detail::task_block;

// Tasks with something that their pusher wrote, and how often each was taken.
struct tasks {
  std::array<task_block, 12> block{};
  std::array<mortise::plain<int>, 12> made{};
  std::array<mortise::plain<int>, 12> taken{};
  void push(run_queue& q, unsigned i) {
    made[i] = 1;
    require(q.push(block[i]), "there is room");
  }
  unsigned took(const task_block* t) {
    if (t == nullptr) return 0;
    const auto i = static_cast<unsigned>(t - block.data());
    require(made[i] == 1, "what its pusher wrote");
    taken[i] = taken[i] + 1;
    require(taken[i] == 1, "each task is taken once");
    return 1;
  }
  unsigned drain(run_queue& q) {
    unsigned n = 0;
    while (const task_block* const t = q.pop()) n += took(t);
    return n;
  }
};

// The bug: owner and thief take the same task, or none of them does; or the thief sees an entry but not the task behind it (Q1).
EXPLORE(run_queue, owner_and_thief, {.preemptions = 3, .deviations = 2}) {
  tasks t;
  run_queue mine, thiefs;
  t.push(mine, 0);
  unsigned stolen = 0, own = 0;
  scoped_thread thief{"thief", [&] {
                        mine.steal_into(thiefs);
                        stolen = t.drain(thiefs);
                      }};
  t.push(mine, 1);
  t.push(mine, 2);
  own += t.took(mine.pop());
  thief.join();
  own += t.drain(mine);
  require(own + stolen == 3, "none is lost");
}

// The bug: two thieves take the same.
EXPLORE(run_queue, two_thieves, {.preemptions = 2, .deviations = 1}) {
  tasks t;
  run_queue mine, one, other;
  for (unsigned i = 0; i < 3; ++i) t.push(mine, i);
  unsigned a_took = 0, b_took = 0, own = 0;
  scoped_thread a{"a", [&] {
                    mine.steal_into(one);
                    a_took = t.drain(one);
                  }};
  scoped_thread b{"b", [&] {
                    mine.steal_into(other);
                    b_took = t.drain(other);
                  }};
  own += t.took(mine.pop());
  a.join();
  b.join();
  own += t.drain(mine);
  require(own + a_took + b_took == 3, "none is lost");
}

// The bug: a full ring's entry is overwritten while a thief still reads it (Q2), and the thief takes what it read.
EXPLORE(run_queue, a_full_ring_is_not_overwritten_under_a_thief, {.preemptions = 2, .deviations = 1}) {
  tasks t;
  run_queue mine, thiefs;
  for (unsigned i = 0; i < run_queue::capacity; ++i) t.push(mine, i);
  unsigned stolen = 0, own = 0;
  scoped_thread thief{"thief", [&] {
                        mine.steal_into(thiefs);
                        stolen = t.drain(thiefs);
                      }};
  unsigned pushed = run_queue::capacity;
  for (int turn = 0; turn < 2; ++turn) {
    own += t.took(mine.pop());
    if (mine.room() == 0) continue;
    t.push(mine, pushed++);
  }
  thief.join();
  own += t.drain(mine);
  require(own + stolen == pushed, "none is lost");
}

}  // namespace
