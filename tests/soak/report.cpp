#include "report.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace soak {
namespace {

std::string with_thousands(std::uint64_t n) {
  std::string digits = std::to_string(n), text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string rate(const tally& t, double seconds) {
  return with_thousands(static_cast<std::uint64_t>(static_cast<double>(t.acquisitions()) / seconds));
}

}  // namespace

progress::progress() {
  const char* const terminal = std::getenv("TERM");
  m_live = ::isatty(STDERR_FILENO) == 1 && (terminal == nullptr || std::strcmp(terminal, "dumb") != 0);
}

void progress::show(unsigned rounds, const tally& t, double seconds, const options& o) {
  if (!m_live) return;
  std::fprintf(stderr, "\r\033[K%.0f s, %u rounds, %s of %s operations, %s a second", seconds, rounds,
               with_thousands(t.acquisitions()).c_str(), with_thousands(o.ops).c_str(),
               rate(t, seconds).c_str());
  std::fflush(stderr);
}

void progress::clear() {
  if (m_live) std::fputs("\r\033[K", stderr);
}

void report(const options& o, const tally& t, std::uint64_t crowded, const memory& m, unsigned rounds,
            double seconds, unsigned failures) {
  for (unsigned i = 0; i < kinds_of_events; ++i) {
    const what w = static_cast<what>(i);
    std::printf("%18s  %s\n", with_thousands(t[w]).c_str(), to_string(w));
    if (w == what::last_acquisition) {
      std::printf("%18s  acquisitions in all, in %u rounds\n", with_thousands(t.acquisitions()).c_str(),
                  rounds);
      std::printf("%18s  of these where all met at 1 to 3 mutexes\n", with_thousands(crowded).c_str());
    }
  }
  const std::uint64_t frames =
      t[what::frames_destroyed_in_the_queue] + t[what::frames_destroyed_when_offered];
  std::printf(
      "soak: %s, seed %llu: %s operations in %.1f s (%s a second), %s timeouts, %s stops, %s migrations, "
      "%s destroyed frames, ",
      failures == 0 ? "nothing lost, nothing hung" : "FAILED", static_cast<unsigned long long>(o.seed),
      with_thousands(t.acquisitions()).c_str(), seconds, rate(t, seconds).c_str(),
      with_thousands(t[what::timeouts]).c_str(), with_thousands(t[what::stops]).c_str(),
      with_thousands(t[what::migrations]).c_str(), with_thousands(frames).c_str());
  if (!m.enough()) {
    std::printf("memory not judged, too few rounds\n");
  } else if (o.brief) {  // too short for a slope
    std::printf("memory %.1f to %.1f MiB\n", m.first_mib(), m.last_mib());
  } else {
    std::printf("memory %.1f to %.1f MiB (%+.0f KiB a minute)\n", m.first_mib(), m.last_mib(),
                m.slope_kib_per_minute());
  }
}

}  // namespace soak
