#pragma once

#include <app/bench/cell.hpp>
#include <vector>

namespace app::bench {

// One line on a terminal that tells what is being measured and how long it will take; in a pipe nothing.
class progress {
 public:
  progress(const std::vector<group>& plan, unsigned repetitions);
  ~progress();
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  void running(const cell& c);
  void clear();

 private:
  bool m_live;
  bool m_line = false;
  double m_planned = 0;  // seconds, of runs that will be made
  double m_done = 0;
};

}  // namespace app::bench
