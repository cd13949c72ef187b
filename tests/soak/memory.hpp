#pragma once

#include <cstddef>
#include <vector>

namespace soak {

// Whether memory stays flat: what is resident, sampled between rounds when no party lives.
class memory {
 public:
  // More than this between the first and the last quarter of the samples is a leak. Rounds differ in size, the
  // allocator keeps what they need at most, and one lost byte in ten slow operations is more than this in an hour.
  static constexpr double bound_mib = 16;

  void sample(double at_s);  // after the warm-up only
  bool enough() const { return m_samples.size() >= 4; }
  double first_mib() const;             // median of the first quarter
  double last_mib() const;              // of the last
  double slope_kib_per_minute() const;  // least squares over all
  bool flat() const { return !enough() || last_mib() - first_mib() <= bound_mib; }

 private:
  double median(std::size_t from, std::size_t to) const;
  struct point {
    double at_s, mib;
  };
  std::vector<point> m_samples;
};

}  // namespace soak
