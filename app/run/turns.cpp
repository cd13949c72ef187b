#include <app/run/turns.hpp>

#include <algorithm>

namespace app {

turn_distribution distribute(std::vector<std::uint64_t> turns) {
  turn_distribution d;
  if (turns.empty()) return d;
  std::sort(turns.begin(), turns.end());
  d.least = turns.front();
  d.median = turns[turns.size() / 2];
  d.most = turns.back();
  constexpr std::uint64_t most_buckets = 32;
  const std::uint64_t width = (d.most - d.least) / most_buckets + 1;
  d.histogram.resize((d.most - d.least) / width + 1);
  for (std::size_t i = 0; i < d.histogram.size(); ++i)
    d.histogram[i] = {d.least + i * width, d.least + (i + 1) * width, 0};
  for (const std::uint64_t n : turns) ++d.histogram[(n - d.least) / width].count;
  return d;
}

}  // namespace app
