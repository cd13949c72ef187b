#include "memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace soak {
namespace {

double resident_mib() {
  std::FILE* const f = std::fopen("/proc/self/statm", "r");
  if (f == nullptr) return 0;
  unsigned long size = 0, resident = 0;
  const int n = std::fscanf(f, "%lu %lu", &size, &resident);
  std::fclose(f);
  return n == 2 ? static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20)
                : 0;
}

}  // namespace

void memory::sample(double at_s) { m_samples.push_back({at_s, resident_mib()}); }

double memory::median(std::size_t from, std::size_t to) const {
  std::vector<double> part;
  for (std::size_t i = from; i < to; ++i) part.push_back(m_samples[i].mib);
  if (part.empty()) return 0;
  std::nth_element(part.begin(), part.begin() + part.size() / 2, part.end());
  return part[part.size() / 2];
}

double memory::first_mib() const {
  return median(0, std::max<std::size_t>(m_samples.size() / 4, std::min<std::size_t>(1, m_samples.size())));
}
double memory::last_mib() const {
  const std::size_t n = m_samples.size();
  return median(n - std::max<std::size_t>(n / 4, std::min<std::size_t>(1, n)), n);
}

double memory::slope_kib_per_minute() const {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const point& p : m_samples) {
    n += 1;
    x += p.at_s;
    y += p.mib;
    xx += p.at_s * p.at_s;
    xy += p.at_s * p.mib;
  }
  const double spread = n * xx - x * x;
  return spread <= 0 ? 0 : (n * xy - x * y) / spread * 60 * 1024;
}

}  // namespace soak
