#pragma once

#include <string>
#include <utility>
#include <vector>

namespace app::bench {

// One figure of a cell over its repetitions.
struct figure {
  std::string name;
  std::vector<double> samples;

  // Requires: there is a sample. With an even number of them the mean of the two in the middle.
  double median() const;
  double least() const;
  double most() const;
};

// Figures in the order in which the contender told them.
using figures = std::vector<figure>;

const figure* find(const figures& all, const std::string& name);

}  // namespace app::bench
