#pragma once

// The moment at which parties are told to come. They are waited for 4 ms from then (DESIGN.md, rule 5) and may be passed after that, which a busy machine
// does to any of them: what a test saw of the time before says nothing if it took longer, and is to be seen again.

#include <chrono>

class told {
 public:
  // Whether none of those who were told since then may have been passed. The clock that the locks go by is right to a few per mille.
  bool are_waited_for() const { return std::chrono::steady_clock::now() - m_since < bound; }

 private:
  static constexpr std::chrono::microseconds bound{3'950};
  std::chrono::steady_clock::time_point m_since = std::chrono::steady_clock::now();
};
