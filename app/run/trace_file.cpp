#include <app/run/command.hpp>
#include <app/run/options.hpp>
#include <app/run/trace_file.hpp>

#include <fmt/format.h>

#include <fstream>
#include <utility>

#include <mortise/insight/trace.hpp>

namespace app {

namespace trace = mortise::insight::trace;

trace_file::trace_file(std::string file) : m_file{std::move(file)} {
  if (m_file.empty()) return;
  if (!std::ofstream(m_file, std::ios::app))
    throw usage_error(fmt::format("--trace: {} cannot be written", m_file));
  trace::start();
}

trace_file::~trace_file() {
  if (!m_file.empty()) trace::stop();
}

bool trace_file::write() {
  if (m_file.empty()) return true;
  trace::stop();
  try {
    const trace::summary s = trace::write(m_file);
    if (s.left_out != 0) {
      fail(0,
           fmt::format(
               "--trace: {} is full and ends after {:.3f} s: {} events are in it, {} that came later are not",
               m_file, static_cast<double>(s.lasted) / 1e9, s.events, s.left_out));
    }
    return true;
  } catch (const std::exception& e) {
    fail(1, fmt::format("--trace: {}", e.what()));
    return false;
  }
}

}  // namespace app
