#pragma once

// One party holds the mutex for long, again and again; the others want it for a moment. Theirs are the waits and the ops.
//
//     hog kind:K parties:N workers:W hog_ns:H held_ns:H gap_ns:G for_ms:T seed:S

#include <bench/workload/contended.hpp>

namespace bench {

template <class Kind>
void hog(keys& given, json_line& line) {
  const unsigned parties = given.count("parties", 8, 2, 10'000);
  const unsigned workers = given.count("workers", usable_cores(), 1, 1'024);
  const std::int64_t hog_ns = given.number("hog_ns", 500'000, 0, 1'000'000'000);
  const std::int64_t held_ns = given.number("held_ns", 20, 0, 1'000'000'000);
  const std::int64_t gap_ns = given.number("gap_ns", 200, 0, 1'000'000'000);
  const std::int64_t for_ms = given.number("for_ms", 500, 1, 3'600'000);
  const std::int64_t seed = given.number("seed", 1, 0, 1'000'000'000);
  given.no_others();

  const stalls machine{for_ms};
  contended_state<typename Kind::mutex> s{parties, held_ns, gap_ns, seed};
  s.first_held = spin{hog_ns};
  within_window seen = run_contended<Kind>(s, workers, for_ms);

  durations waits;
  for (std::size_t i = 1; i < s.records.size(); ++i) waits.add(s.records[i].waits);
  const std::uint64_t hogs = seen.ops.front();
  seen.ops.erase(seen.ops.begin());
  seen.sum -= hogs;
  seen.add_to(line);
  line.add("hog_ops", hogs);
  add_waits(line, waits);
  machine.add_to(line);
}

}  // namespace bench
