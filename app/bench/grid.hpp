#pragma once

#include <app/bench/table.hpp>
#include <string>
#include <vector>

namespace app::bench {

// Rows of text below headers, in aligned columns or as Markdown. Rows may be shorter than the headers.
struct grid {
  std::vector<std::string> headers;
  std::vector<std::vector<std::string>> rows;
  std::size_t left = 1;  // columns from the left that are text; the others are numbers, flush right
};

std::string write(const grid& g, const style& s);

}  // namespace app::bench
