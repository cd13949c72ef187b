#include <explore/verify.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <regex>
#include <string>

#include <explore/memory.hpp>
#include <explore/settings.hpp>

namespace explore {
namespace {

struct found {
  std::string what;
  std::string schedule;
};

struct figures {
  std::uint64_t executions = 0;
  std::uint64_t complete = 0;  // the others ended in a state that was explored already
  std::uint64_t states = 0;
  std::uint64_t steps = 0;
  double seconds = 0;
};

execution_options options_for(const bounds& b, memory_model m) {
  return {.memory = m,
          .tick = b.tick,
          .spurious = b.spurious,
          .membarrier = b.membarrier,
          .most_steps = b.most_steps};
}

// Until all is searched, or something is found, or it turns out that choices were left out that matter.
enum class verdict { through, faulty, learned };

verdict search_through(search& s, budget bound, const execution_options& options, void (*scenario)(),
                       figures& f, found& fault) {
  engine& e = engine::instance();
  do {
    const engine::ending how = e.run(scenario, options, s, engine::how::plainly);
    ++f.executions;
    if (how != engine::ending::pruned) ++f.complete;
    f.steps += e.steps();
    // A failure, too, is shown with the choices that were left out: its schedule has to be one that can be had again.
    if (memory::instance().learned()) return verdict::learned;
    if (how == engine::ending::failed) {
      const std::string what = e.failure();
      e.run(scenario, options, s, engine::how::recording);
      fault = {what, written(bound, e.recorded())};
      if (e.failure() != what)
        fault.what += " (and at the second time, with the same schedule: " + e.failure() + ')';
      return verdict::faulty;
    }
  } while (s.next());
  return verdict::through;
}

const char* name_of(memory_model m) { return m == memory_model::tso ? "tso" : "weak"; }

// One line of JSON for each search, for the table in docs/proof.md.
void report(const char* name, const char* how, memory_model m, budget b, const figures& f) {
  std::printf(
      "%s: %s, %s, within %d preemptions and %d deviations: %llu executions (%llu to their end), %llu states, %llu steps, %.1f s\n",
      name, how, name_of(m), b.preemptions, b.deviations, static_cast<unsigned long long>(f.executions),
      static_cast<unsigned long long>(f.complete), static_cast<unsigned long long>(f.states),
      static_cast<unsigned long long>(f.steps), f.seconds);
  const char* const file = std::getenv("MORTISE_MODEL_FIGURES");
  if (file == nullptr) return;
  if (std::FILE* out = std::fopen(file, "ae")) {
    std::fprintf(
        out,
        "{\"scenario\":\"%s\",\"search\":\"%s\",\"memory\":\"%s\",\"preemptions\":%d,\"deviations\":%d,"
        "\"executions\":%llu,\"complete\":%llu,\"states\":%llu,\"steps\":%llu,\"seconds\":%.2f}\n",
        name, how, name_of(m), b.preemptions, b.deviations, static_cast<unsigned long long>(f.executions),
        static_cast<unsigned long long>(f.complete), static_cast<unsigned long long>(f.states),
        static_cast<unsigned long long>(f.steps), f.seconds);
    std::fclose(out);
  }
}

budget bound_of(const bounds& b) {
  return {b.preemptions + (b.as_is ? 0 : settings().more_preemptions), b.deviations};
}

// `expected`: a fault has to be found within the bound, so that bounds are known to be large enough.
std::optional<found> explore_in(const char* name, const bounds& b, memory_model m, void (*scenario)(),
                                bool expected) {
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const budget bound = bound_of(b);
  memory::instance().forget_shared();
  found fault;
  // Random schedules first: they learn what is shared, and often find what there is to find.
  random_priorities some{settings().seed, std::max(20u, b.random_runs * settings().more_random_runs), 4};
  execution_options options = options_for(b, m);
  options.most_steps *= 4;
  figures g;
  verdict v = verdict::learned;
  while (v == verdict::learned && (g.executions == 0 || some.next()))
    v = search_through(some, random_priorities::unlimited, options, scenario, g, fault);
  g.seconds = seconds();
  if (b.random_runs != 0 && !expected) {
    report(name, v == verdict::faulty ? "random: found a fault" : "random", m, random_priorities::unlimited,
           g);
    if (v == verdict::faulty) return fault;
  }
  for (;;) {
    exhaustive all{bound};
    figures f;
    v = search_through(all, bound, options_for(b, m), scenario, f, fault);
    if (v == verdict::learned) continue;  // anew, with the choices that were left out
    f.states = all.states();
    f.seconds = seconds() - g.seconds;
    report(name, v == verdict::faulty ? "found a fault" : "all schedules", m, bound, f);
    return v == verdict::faulty ? std::optional{fault} : std::nullopt;
  }
}

void replay(const bounds& b, memory_model m, void (*scenario)()) {
  replayed one{settings().replay};
  execution_options options = options_for(b, m);
  options.most_steps *= 4;
  engine& e = engine::instance();
  if (e.run(scenario, options, one, engine::how::traced) == engine::ending::failed) {
    ADD_FAILURE() << e.failure();
  } else {
    std::printf("this schedule ends well\n");
  }
}

template <class Each>
void in_each_memory(const bounds& b, Each each) {
  if (b.tso && settings().tso) each(memory_model::tso);
  if (b.weak && settings().weak) each(memory_model::weak);
}

}  // namespace

void require(bool holds, const char* what) {
  if (holds) return;
  const inside here;
  engine::instance().fail(std::string("not so: ") + what);
}

std::string all_schedules(void (*scenario)(), const bounds& b, memory_model m) {
  memory::instance().forget_shared();
  for (;;) {
    exhaustive all{budget{b.preemptions, b.deviations}};
    figures f;
    found fault;
    const verdict v = search_through(all, all.bound(), options_for(b, m), scenario, f, fault);
    if (v != verdict::learned) return fault.what;
  }
}

void verify(const char* name, void (*scenario)(), const bounds& b) {
  in_each_memory(b, [&](memory_model m) {
    if (!settings().replay.empty()) return replay(b, m, scenario);
    if (const auto fault = explore_in(name, b, m, scenario, false)) {
      ADD_FAILURE() << name << ": " << fault->what << "\n  to see it: " << settings().program
                    << " --gtest_filter=" << name << " --memory=" << name_of(m)
                    << " --replay=" << fault->schedule;
    }
  });
}

void expect_fault(const char* name, void (*scenario)(), const char* pattern, const bounds& b) {
  in_each_memory(b, [&](memory_model m) {
    if (!settings().replay.empty()) return replay(b, m, scenario);
    const auto fault = explore_in(name, b, m, scenario, true);
    if (!fault) {
      ADD_FAILURE() << name << ": no schedule shows the fault that was planted";
    } else if (!std::regex_search(fault->what, std::regex(pattern))) {
      ADD_FAILURE() << name << ": '" << fault->what
                    << "' is not the fault that was planted; --memory=" << name_of(m)
                    << " --replay=" << fault->schedule;
    }
  });
}

}  // namespace explore
