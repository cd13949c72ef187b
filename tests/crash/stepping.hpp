#pragma once

// A child is killed after its first instruction, after its second one, and so on to its last; each time its parent looks at what
// it has left behind.
//
// What the child runs is traced once, an instruction at a time. All children are forked at one place and so have one layout: the
// place in the code and how often it is passed say where a later child is to die. It gets there by a breakpoint, and by steps
// from where that is cheaper, as from before a loop. What has no end, but waits for something, gets there by steps alone: how
// far it comes in its waiting depends on the time, and steps take so much of it always.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "finding.hpp"
#include "traced.hpp"

namespace crash {

struct stepping_plan {
  std::chrono::milliseconds budget{0};  // 0: after each instruction, however long it takes
  std::size_t least = 40;   // so many deaths in any case: on a busy machine a budget is soon spent
  std::size_t horizon = 0;  // 0: to the end; else it never ends, and so many instructions of it are looked at
  bool samples_loops = false;  // what is passed more than 64 times is killed at each 16th time only
  unsigned seed = 1;
};

struct stepping_result {
  verdict found;
  std::size_t instructions = 0, of_our_own = 0;
  std::size_t deaths = 0, of_our_own_deaths = 0;
  std::size_t astray = 0;  // children that went another way
};

namespace stepping_detail {

struct stop {
  address at;           // what is run next
  unsigned occurrence;  // for the how manieth time
  std::size_t from;     // the stop that is gone to by breakpoint, the rest by steps
};

inline constexpr std::size_t most_instructions = 400'000;

// Not inline: whoever is forked elsewhere runs other copies of inline code.
template <class Act>
[[gnu::noinline]] traced start(Act& act) {
  return traced{act};
}

// The way of a child that is left alone.
template <class Act, class Ready>
std::vector<stop> trace(Act& act, Ready& ready, std::size_t horizon, verdict& v) {
  std::vector<stop> way;
  traced t = start(act);
  ready();
  std::unordered_map<address, unsigned> passed;
  double cost_before = 0;
  const bool by_steps_alone = horizon != 0;
  while (t.is() == traced::state::runs) {
    if (horizon != 0 && way.size() == horizon) return way;
    if (way.size() == most_instructions) {
      v = {finding::broken, "it has not ended after " + std::to_string(most_instructions) + " instructions"};
      return {};
    }
    const address a = t.where();
    const unsigned k = ++passed[a];
    const double by_breakpoint = 1 + 2.5 * k, by_step = cost_before + 1;
    const bool steps = !way.empty() && (by_steps_alone || by_step < by_breakpoint);
    way.push_back({a, k, steps ? way.back().from : way.size()});
    cost_before = steps ? by_step : by_breakpoint;
    t.step();
  }
  if (t.is() == traced::state::ended) return way;
  v = {finding::broken, t.is() == traced::state::hangs ? "it hangs by itself" : t.failure()};
  return {};
}

// In which order they are tried.
inline std::vector<std::size_t> order_of(const std::vector<stop>& way, const stepping_plan& plan) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < way.size(); ++i) {
    const unsigned k = way[i].occurrence;
    if (!plan.samples_loops || k <= 64 || k % 16 == 0) order.push_back(i);
  }
  if (plan.budget.count() == 0) return order;
  std::mt19937 draw{plan.seed};
  std::shuffle(order.begin(), order.end(), draw);
  std::array<std::vector<std::size_t>, 4> ranks;
  for (const std::size_t i : order)
    ranks[(way[i].occurrence > 3 ? 2u : 0u) + (is_our_code(way[i].at) ? 0u : 1u)].push_back(i);
  order.clear();
  for (const auto& rank : ranks) order.insert(order.end(), rank.begin(), rank.end());
  return order;
}

}  // namespace stepping_detail

// `act(begin)` is run in children (traced.hpp). ready() is called in the parent when one has come to its beginning, check(bool complete) as
// soon as one was told to die, and once more for a child that has come to its end: a verdict. It must leave things so that the next
// child finds them as the first.
// Where there is a budget, our own code comes first, and each place of it a few times, in random order.
template <class Act, class Check, class Ready>
stepping_result step_through(Act act, Ready ready, Check check, const stepping_plan& plan) {
  using namespace stepping_detail;
  using clock = std::chrono::steady_clock;
  stepping_result r;
  // Twice: what the parent does for the first time, such as binding a symbol, its later children need not do.
  std::vector<stop> way;
  for (int i = 0; i < 2; ++i) {
    way = trace(act, ready, plan.horizon, r.found);
    if (r.found || (r.found = check(plan.horizon == 0))) return r;
  }
  r.instructions = way.size();
  const auto order = order_of(way, plan);
  r.of_our_own = static_cast<std::size_t>(
      std::count_if(way.begin(), way.end(), [](const stop& s) { return is_our_code(s.at); }));

  const auto die_at = [&](std::size_t i, bool by_steps) {
    const std::size_t from = by_steps ? 0 : way[i].from;
    traced t = start(act);
    ready();
    t.run_to(way[from].at, way[from].occurrence);
    for (std::size_t j = from; j < i; ++j) t.step();
    const bool complete = t.is() == traced::state::ended;
    if (!complete && t.is() != traced::state::runs) {
      r.found = {finding::broken, t.is() == traced::state::hangs ? "it hangs by itself" : t.failure()};
      return false;
    }
    ++r.deaths;
    if (is_our_code(t.where())) ++r.of_our_own_deaths;
    t.kill();  // check() comes while it is still dying
    r.found = check(complete);
    return complete;
  };
  const auto end = clock::now() + plan.budget;
  for (const std::size_t i : order) {
    if (plan.budget.count() != 0 && clock::now() >= end && r.deaths >= plan.least) break;
    if (die_at(i, false) && !r.found) {
      // It went another way than the one that was traced, and came to its end. Then only the number of instructions counts.
      ++r.astray;
      die_at(i, true);
    }
    if (r.found) {
      r.found.how +=
          " (killed after instruction " + std::to_string(i) + " of " + std::to_string(way.size()) + ")";
      return r;
    }
  }
  return r;
}

template <class Act, class Check>
stepping_result step_through(Act act, Check check, const stepping_plan& plan) {
  return step_through(std::move(act), [] {}, std::move(check), plan);
}

inline void say(const char* what, const stepping_result& r, const stepping_plan& plan) {
  std::printf(
      "%s: killed %zu times, after each of %zu instructions; %zu of our own %zu; %zu went astray; seed %u\n",
      what, r.deaths, r.instructions, r.of_our_own_deaths, r.of_our_own, r.astray, plan.seed);
}

}  // namespace crash
