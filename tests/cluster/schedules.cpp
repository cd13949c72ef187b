// cluster_schedules [--count N] [--seed S] [--control NAME]: so many random schedules, beginning with seed S; the first that fails ends it.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "schedule.hpp"

using namespace cluster_test;

namespace {

control named(const char* name) {
  const char* const names[] = {"none",     "unfenced_put", "unresolved_unknown", "trusted_deadline",
                               "no_fence", "trusted_read"};
  for (int i = 0; i < 6; ++i) {
    if (std::strcmp(name, names[i]) == 0) return static_cast<control>(i);
  }
  std::fprintf(
      stderr,
      "--control: '%s' is none of none, unfenced_put, unresolved_unknown, trusted_deadline, no_fence, trusted_read\n",
      name);
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t count = 1'000'000, first = 1;
  bool counted = false;
  control broken = control::none;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--count") == 0) {
      count = std::strtoull(argv[i + 1], nullptr, 10);
      counted = true;
    } else if (std::strcmp(argv[i], "--seed") == 0) {
      first = std::strtoull(argv[i + 1], nullptr, 10);
      if (!counted) count = 1;
    } else if (std::strcmp(argv[i], "--control") == 0) {
      broken = named(argv[i + 1]);
    }
  }
  history sum;
  std::uint64_t failed = 0, events = 0;
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const auto v = run_schedule(seed, broken);
    events += v.events;
    sum.applied += v.what.applied;
    sum.lost += v.what.lost;
    sum.stale += v.what.stale;
    sum.unknown += v.what.unknown;
    sum.not_applied += v.what.not_applied;
    sum.abandoned += v.what.abandoned;
    if (v.complaint.empty()) continue;
    if (++failed <= 5)
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), v.complaint.c_str());
    if (broken == control::none) break;
  }
  const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const auto n = [](std::uint64_t x) { return static_cast<unsigned long long>(x); };
  std::printf(
      "schedules: %llu  failed: %llu  events: %llu  applied: %llu  lost: %llu  stale: %llu  not applied: %llu  unknown: %llu  "
      "given up: %llu  seconds: %.1f\n",
      n(count), n(failed), n(events), n(sum.applied), n(sum.lost), n(sum.stale), n(sum.not_applied),
      n(sum.unknown), n(sum.abandoned), s);
  return failed == 0 ? 0 : 1;
}
