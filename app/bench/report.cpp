#include <app/bench/report.hpp>

namespace app::bench {

std::string report_data(const result& r) {
  std::string data = R"({"header": )" + header_line(r) + R"(, "lines": [)";
  const char* gap = "\n";
  for (const judged& line : r.lines) {
    data.append(gap).append(json_line(line));
    gap = ",\n";
  }
  return data + "\n]}";
}

}  // namespace app::bench
