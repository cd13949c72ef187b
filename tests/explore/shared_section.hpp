#pragma once

#include <mutex>

#include <explore/verify.hpp>

namespace explore {

// What a lock guards in a scenario, and what must hold of it: one is inside at a time, and what one wrote the next one sees (a
// race is found by plain<>, by the orderings as they are written).
template <class Mutex>
struct shared_section {
  Mutex m;
  plain<int> inside{0};
  plain<int> passed{0};

  void enter() {
    inside = inside + 1;
    require(inside == 1, "one holder at a time");
  }
  void leave() {
    inside = inside - 1;
    passed = passed + 1;
  }
  void pass() {
    enter();
    leave();
  }
  void lock_and_pass() {
    const std::lock_guard hold{m};
    pass();
  }
};

}  // namespace explore
