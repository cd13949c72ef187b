#pragma once

#include <cstdint>

namespace soak {

// Bugs that a test plants to see that they are found.
enum class plant : unsigned char { none, hang, lost, leak };

struct options {
  std::uint64_t ops = 1;       // acquisitions at least
  std::uint64_t minutes = 0;   // and at least so long
  std::uint64_t seed = 0;      // drawn, unless given
  std::uint64_t bound_s = 30;  // a party that does nothing for so long hangs
  bool brief = false;          // a few seconds, as a test
  soak::plant plant = plant::none;
};

// Ends the program, after one line on standard error, if the arguments are not right.
options parse(int argc, char** argv);

}  // namespace soak
