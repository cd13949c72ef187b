#include <app/bench/child.hpp>
#include <app/bench/measure.hpp>
#include <app/bench/plan.hpp>
#include <app/bench/sample.hpp>
#include <app/run/interrupt.hpp>
#include <bench/harness/stall.hpp>

#include <system_error>

namespace app::bench {
namespace {

void record(outcome& o, const sample& s) {
  for (const auto& [name, value] : s) {
    figure* known = nullptr;
    for (figure& f : o.figures) {
      if (f.name == name) known = &f;
    }
    if (known == nullptr) known = &o.figures.emplace_back(figure{name, {}});
    known->samples.push_back(value);
  }
  ++o.repetitions;
}

// Where the contender does not look for stalls itself: `mortise run` and its peers do not.
void add_stalls(sample& s, const ::bench::durations& gaps) {
  for (const auto& [name, value] : s) {
    if (name == "stall_p999_ns") return;
  }
  s.emplace_back("stall_p999_ns", static_cast<double>(gaps.quantile(0.999)));
  s.emplace_back("stall_max_ns", static_cast<double>(gaps.longest()));
}

void run_once(outcome& o, const contenders& who, unsigned repetition) {
  // A machine that is busy makes it late; ten times as late is a hang.
  const auto limit = std::chrono::milliseconds(20'000 + static_cast<std::int64_t>(10'000 * seconds_of(o.of)));
  const bool seed = o.of.workload == "seed";
  try {
    const ::bench::durations gaps = seed ? ::bench::measure_stalls(40) : ::bench::durations{};
    const child_result result = run_child(who.command(o.of, repetition), limit);
    if (result.interrupted) return;
    if (!result.well()) {
      o.failed = result.why();
    } else {
      sample s = read_sample(o.of, result.out);
      if (seed) add_stalls(s, gaps);
      record(o, s);
    }
  } catch (const skipped_sample& e) {
    o.skipped = e.what();
  } catch (const bad_sample& e) {
    o.failed = e.what();
  } catch (const std::system_error& e) {
    o.failed = e.what();
  }
}

void set_obstacle(outcome& o, const std::string& obstacle) {
  if (obstacle.empty()) return;
  const std::size_t behind = obstacle.find(": ") + 2;
  (obstacle.starts_with("skipped") ? o.skipped : o.failed) = obstacle.substr(behind);
}

}  // namespace

std::vector<outcome> measure(const group& g, const contenders& who, unsigned repetitions,
                             const watcher& watch) {
  std::vector<outcome> all;
  for (const cell& c : g.cells) {
    outcome& o = all.emplace_back(outcome{c, g.id});
    set_obstacle(o, who.obstacle(c));
  }
  for (unsigned r = 0; r < repetitions; ++r) {
    for (std::size_t turn = 0; turn < all.size(); ++turn) {
      outcome& o = all[(turn + r) % all.size()];
      if (!o.skipped.empty() || !o.failed.empty()) continue;
      if (interrupt::signal() != 0) return all;
      watch(o.of);
      run_once(o, who, r);
    }
  }
  return all;
}

}  // namespace app::bench
