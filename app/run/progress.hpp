#pragma once

#include <cstdint>

#include <app/run/workload.hpp>

namespace app {

// What a person at a terminal sees besides the result, on standard error: a line that lives while the run
// lasts, and what it came to. Silent where standard error is no terminal.
class progress {
 public:
  progress();

  bool watched() const noexcept { return m_live; }
  void starting(std::uint64_t started, std::uint64_t of);
  void running(double seconds, double of, std::uint64_t ops, double ops_per_s);
  void clear();
  void finished(const run_options& options, const run_result& result);

 private:
  bool m_terminal;
  bool m_live;    // it understands how to take a line back
  bool m_colour;  // and NO_COLOR is not set
  bool m_line = false;
};

}  // namespace app
