#include <app/bench/statistics.hpp>

#include <algorithm>

namespace app::bench {

double figure::median() const {
  std::vector<double> sorted = samples;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 != 0 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double figure::least() const { return *std::min_element(samples.begin(), samples.end()); }
double figure::most() const { return *std::max_element(samples.begin(), samples.end()); }

const figure* find(const figures& all, const std::string& name) {
  for (const figure& f : all) {
    if (f.name == name) return &f;
  }
  return nullptr;
}

}  // namespace app::bench
