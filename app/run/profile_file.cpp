#include <app/run/profile_file.hpp>

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>
#include <system_error>

namespace app {

namespace profile = mortise::insight::profile;

profile_file::profile_file(const run_options& o)
    : m_file{o.profile},
      m_is_shown{!o.report.empty() && o.scope == scope_kind::process &&
                 (o.lock == lock_kind::mortise || o.lock == lock_kind::shared)} {
  if (!m_file.empty()) {
    if (!profile::can_write())
      throw usage_error(fmt::format(
          "--profile: {} cannot be written by this build: it has no protozero or no zlib", m_file));
    if (!std::ofstream(m_file, std::ios::app))
      throw usage_error(fmt::format("--profile: {} cannot be written", m_file));
  }
  if (m_is_shown || !m_file.empty()) profile::start();
}

void profile_file::write() const {
  profile::stop();
  if (m_file.empty()) return;
  try {
    profile::write(m_file);
  } catch (const std::system_error& e) {
    throw std::runtime_error(fmt::format("--profile: {} cannot be written: {}", m_file, e.code().message()));
  }
}

}  // namespace app
