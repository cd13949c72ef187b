// What is done once, under every schedule. Forks are process_once_test.cpp's.
#include <mortise/base/process_once.hpp>

#include <explore/verify.hpp>

namespace {

using explore::require;
using explore::scoped_thread;

struct scene {
  mortise::process_once made;
  mortise::plain<int> times{0};

  void come() {
    made([&] { times = times + 1; });
    require(times == 1, "it is done, and once");
  }
};

// The bug: who slept while it was done sleeps on; who comes late does not see what was done.
EXPLORE(process_once, three_find_it_done, {.preemptions = 3, .deviations = 2}) {
  scene s;
  scoped_thread a{"a", [&] { s.come(); }};
  scoped_thread b{"b", [&] { s.come(); }};
  s.come();
}

// The bug: who slept while it was tried is not told that it is to be tried again, or does not see what was left.
EXPLORE(process_once, the_next_tries_after_one_that_threw, {.preemptions = 3, .deviations = 2}) {
  scene s;
  mortise::plain<int> tries{0};
  scoped_thread other{"other", [&] { s.come(); }};
  try {
    s.made([&] {
      tries = tries + 1;
      throw 1;
    });
  } catch (int) {
    require(tries == 1, "it came out");
  }
  s.come();
}

}  // namespace
