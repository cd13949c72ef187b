#include <app/bench/plan.hpp>
#include <app/bench/progress.hpp>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace app::bench {
namespace {

bool is_live() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && (term == nullptr || std::string_view{term} != "dumb");
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

}  // namespace

progress::progress(const std::vector<group>& plan, unsigned repetitions) : m_live{is_live()} {
  for (const group& g : plan) {
    for (const cell& c : g.cells) m_planned += seconds_of(c) * repetitions;
  }
}

progress::~progress() { clear(); }

void progress::running(const cell& c) {
  // Contenders that are not here leave the plan's time without using any, so it is an upper bound.
  const double left = std::max(0.0, m_planned - m_done);
  m_done += seconds_of(c);
  if (!m_live) return;
  std::string line = fmt::format("at most {}:{:02} left, {}", static_cast<int>(left) / 60,
                                 static_cast<int>(left) % 60, c.name());
  if (const std::size_t width = terminal_width(); line.size() >= width) line.resize(width - 1);
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
  m_line = true;
}

void progress::clear() {
  if (m_line) fmt::print(stderr, "\r\033[K");
  m_line = false;
}

}  // namespace app::bench
