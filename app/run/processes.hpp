#pragma once

#include <functional>

#include <app/run/board.hpp>
#include <app/run/turns.hpp>
#include <app/run/workload.hpp>

namespace app {

// The seed's program among processes (--scope processes). Requires: this process has one thread, or its children could not
// have more. Throws start_error; std::system_error or shm::error when there is no memory to share.
run_result run_processes(const run_options& options);

// What differs between the scopes in which it runs among processes.
struct shared_run {
  // What a process does, in it: it throws if it cannot begin, and returns when the run is over (worker_process.hpp).
  std::function<void(board&, turns&, unsigned process)> work;
  // Several times a second, in the parent, and once when all have ended.
  std::function<void()> look = [] {};
  // What the value has come to. `uncounted`: so many writes may have been made that nobody counted.
  std::function<void(const board&, std::uint64_t uncounted, run_result&)> judge;
};
// As above. Requires: an `interrupt` lives.
run_result run_among_processes(const run_options& options, const shared_run& what);

// The value at the end, and what the counts say about it.
template <class State>
void judge_state(const State& s, const board& b, std::uint64_t uncounted, run_result& r) {
  r.torn = b.sum(&board::place::torn) + (s.whole() ? 0 : 1);
  r.overlaps = b.sum(&board::place::overlaps);
  const std::uint64_t counted = b.sum(&board::place::write_ops);
  r.map_mismatches = b.sum(&board::place::late_tokens);
  if (s.writes < counted) r.map_mismatches += counted - s.writes;  // lost, though they had been made
  if (s.writes > counted + uncounted) r.map_mismatches += s.writes - counted - uncounted;
  for (const auto& [key, value] : s.map)
    r.state[static_cast<std::uint64_t>(key)] = static_cast<std::uint64_t>(value);
}

}  // namespace app
