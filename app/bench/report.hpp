#pragma once

#include <app/bench/lines.hpp>
#include <string>

namespace app::bench {

// What the page of --report is filled with: {"header": the first line, "lines": [the others]}, as --json prints them.
std::string report_data(const result& r);

}  // namespace app::bench
