#pragma once

// What the tests of this folder ask of a lock with its value, be it ours (ours.hpp) or one that they must find fault with
// (controls.hpp):
//
//     subject(const Value& initial)          a new one, in memory that is inherited over a fork
//     void update(f)                         f(Value&, tenure_facts) under the lock
//     bool update_for(duration, f)           false: the lock was not to be had

#include <cstdint>

namespace crash {

struct tenure_facts {
  std::uint64_t token;  // 0: it has none
  bool owner_died;
};

}  // namespace crash
