#include <app/run/progress.hpp>

#include <fmt/format.h>
#include <unistd.h>
#include <app/run/report.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace app {

namespace {
std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}
}  // namespace

progress::progress()
    : m_terminal{::isatty(STDERR_FILENO) == 1},
      m_live{m_terminal && environment("TERM") != "dumb"},
      m_colour{m_live && environment("NO_COLOR").empty()} {}

void progress::starting(std::uint64_t started, std::uint64_t of) {
  if (!m_live) return;
  fmt::print(stderr, "\r\033[Kstarting {} of {} tasks", with_thousands(started), with_thousands(of));
  std::fflush(stderr);
  m_line = true;
}

void progress::running(double seconds, double of, std::uint64_t ops, double ops_per_s) {
  if (!m_live) return;
  fmt::print(stderr, "\r\033[K{:.1f} of {:.1f} s, {} operations, {} a second", seconds, of,
             with_thousands(ops), with_thousands(static_cast<std::uint64_t>(ops_per_s)));
  std::fflush(stderr);
  m_line = true;
}

void progress::clear() {
  if (m_line) fmt::print(stderr, "\r\033[K");
  m_line = false;
}

void progress::finished(const run_options& options, const run_result& result) {
  if (!m_terminal) return;
  const char* dim = m_colour ? "\033[2m" : "";
  const char* plain = m_colour ? "\033[0m" : "";
  fmt::print(stderr, "{}{}\ncompare: {}{}\n", dim, summary_line(options, result), compare_with(options),
             plain);
}

}  // namespace app
