#include <app/bench/grid.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace app::bench {
namespace {

// What a terminal shows of it: without colours.
std::size_t width_of(const std::string& text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\033') {
      i = std::min(text.find('m', i), text.size() - 1);
    } else {
      ++width;
    }
  }
  return width;
}

std::string in_markdown(const grid& g) {
  std::string text = "|";
  for (const std::string& h : g.headers) text += fmt::format(" {} |", h);
  text += "\n|";
  for (std::size_t i = 0; i < g.headers.size(); ++i) text += i < g.left ? "---|" : "---:|";
  text += "\n";
  for (const auto& row : g.rows) {
    text += "|";
    for (std::size_t i = 0; i < g.headers.size(); ++i)
      text += fmt::format(" {} |", i < row.size() ? row[i] : "");
    text += "\n";
  }
  return text;
}

}  // namespace

std::string write(const grid& g, const style& s) {
  if (s.markdown) return in_markdown(g);
  std::vector<std::size_t> widths(g.headers.size());
  for (std::size_t i = 0; i < widths.size(); ++i) {
    widths[i] = width_of(g.headers[i]);
    for (const auto& row : g.rows) {
      if (i < row.size()) widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  std::string text;
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - width_of(row[i]), ' ');
      line += (i == 0 ? "" : "  ") + (i < g.left ? row[i] + blanks : blanks + row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add(g.headers);
  for (const auto& row : g.rows) add(row);
  return text;
}

}  // namespace app::bench
