#pragma once

// What an x_model.cpp is written with.
//
//     EXPLORE(mutex, one_holder_at_a_time, {.preemptions = 3}) {
//       static mortise::mutex* m;                 // or anything on the scenario's stack
//       explore::scoped_thread other{"other", [&] { ... }};
//       ...
//       explore::require(n == 2, "both came in");
//     }
//
// The body runs once for each schedule, in both memory models, and holds in all of them. EXPLORE_FAULT is for what must be
// found: the body has a fault, and some schedule shows it, in words that match `pattern`.

#include <gtest/gtest.h>

#include <explore/atomic.hpp>
#include <explore/os.hpp>

namespace explore {

struct bounds {
  int preemptions = 2;
  int deviations = 1;
  nanos tick = 0;  // see execution_options
  bool tso = true;
  bool weak = true;
  bool spurious = true;
  bool membarrier = true;
  unsigned random_runs = 300;  // beyond the bound, in each memory model
  unsigned most_steps = 4'000;
  bool as_is = false;  // about the bound itself: no setting widens it
};

// Ends the execution as a failure.
void require(bool holds, const char* what);

void verify(const char* name, void (*scenario)(), const bounds& b = {});

// All schedules within the bound in one memory, without random ones before; the fault that was found, or nothing.
std::string all_schedules(void (*scenario)(), const bounds& b, memory_model m);

void expect_fault(const char* name, void (*scenario)(), const char* pattern, const bounds& b = {});

}  // namespace explore

#define EXPLORE(suite, name, ...)                                                                           \
  static void suite##_##name##_scenario();                                                                  \
  TEST(suite, name) {                                                                                       \
    explore::verify(#suite "." #name, suite##_##name##_scenario __VA_OPT__(, explore::bounds __VA_ARGS__)); \
  }                                                                                                         \
  static void suite##_##name##_scenario()

#define EXPLORE_FAULT(suite, name, pattern, ...)                              \
  static void suite##_##name##_scenario();                                    \
  TEST(suite, name) {                                                         \
    explore::expect_fault(#suite "." #name, suite##_##name##_scenario,        \
                          pattern __VA_OPT__(, explore::bounds __VA_ARGS__)); \
  }                                                                           \
  static void suite##_##name##_scenario()
