#pragma once

#include <app/bench/measure.hpp>
#include <app/bench/verdict.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace app::bench {

inline constexpr const char* schema = "mortise.bench/1";

// One line of the result: an outcome with its verdicts.
struct judged {
  outcome what;
  std::vector<verdict> verdicts;
};

// Everything that `mortise bench --json` prints, as the table and the page need it.
struct result {
  nlohmann::ordered_json machine;
  std::string mode, command;
  std::vector<judged> lines;
};

std::vector<judged> judge_all(std::vector<outcome> group);

// The form of the lines is told in bench/report/README.md. Without the line's end.
std::string header_line(const result& r);
std::string json_line(const judged& j);

// Reads them back. Throws std::runtime_error, with the number of the line that is none.
result read_lines(const std::string& text);

}  // namespace app::bench
