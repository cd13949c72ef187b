#pragma once

#include <app/bench/measure.hpp>
#include <optional>
#include <string>
#include <vector>

namespace app::bench {

// How one bar was met.
struct verdict {
  bar of;
  std::string against_bench = {};       // the best of the peers, which counted
  std::optional<double> measured = {};  // the median, or its ratio
  std::optional<bool> met = {};         // none: a peer is missing, or the bar does not apply
  std::string note = {};                // why none
};

// The verdict on a bar of `ours`, whose peers are among `all`. The median is compared as it is: bars are not bent for
// noise. What failed in any repetition meets no bar.
verdict judge(const bar& b, const outcome& ours, const std::vector<outcome>& all);

bool meets(const bar& b, double measured);
// Whether the moonshot was reached, where there is one.
bool is_moonshot(const bar& b, double measured);

}  // namespace app::bench
