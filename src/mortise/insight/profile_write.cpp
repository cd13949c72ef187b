#include <mortise/insight/profile.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <map>
#include <ostream>
#include <system_error>
#include <tuple>

#include <mortise/insight/pprof.hpp>
#include <mortise/insight/recording.hpp>
#include <mortise/insight/symbols.hpp>

namespace mortise::inline MORTISE_ABI::insight::profile {
namespace {

// Where the user's code is in it.
code_line own_line(const call_stack& at) {
  code_line outermost;
  for (std::size_t i = 0; i < at.depth; ++i) {
    const std::vector<code_line> lines = lines_at(at.calls[i]);
    const std::size_t skipped = plumbing_of(lines);
    if (skipped < lines.size()) return lines[skipped];
    if (!lines.empty()) {
      outermost = lines.back();
      continue;
    }
    char address[24];
    std::snprintf(address, sizeof address, "0x%llx", static_cast<unsigned long long>(at.calls[i]));
    outermost.function = address;
    return outermost;
  }
  return outermost;
}

}  // namespace

bool can_write() noexcept { return has_pprof(); }

void write(std::ostream& to) {
  const std::string bytes = as_pprof(recorded());
  to.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void write(const std::string& name) {
  const std::string bytes = as_pprof(recorded());
  errno = 0;
  std::ofstream file(name, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(), name);
}

std::vector<place> places() {
  std::map<std::tuple<std::string, std::string, int>, sums> by_line;
  for (const recorded_place& p : recorded().places) {
    const code_line l = own_line(p.at);
    by_line[{l.function, l.file, l.line}] += p.sum;
  }
  std::vector<place> all;
  for (const auto& [where, sum] : by_line) {
    const auto& [function, file, line] = where;
    all.push_back({function, file, line, sum.contentions, sum.delay_ns, sum.waits, sum.wait_ns});
  }
  std::sort(all.begin(), all.end(), [](const place& a, const place& b) {
    return a.delay_ns != b.delay_ns ? a.delay_ns > b.delay_ns : a.wait_ns > b.wait_ns;
  });
  return all;
}

}  // namespace mortise::inline MORTISE_ABI::insight::profile
