#pragma once

#include <string>

namespace app {

// The file of --report: one self-contained page with the data in it. Made before there is anything to write, so that ten minutes
// of measuring do not end with a name that cannot be written.
class page {
 public:
  // Empty: no page is wanted. Throws usage_error if the file cannot be written. If the page was not built, says so in one line
  // on standard error: everything else goes on.
  explicit page(std::string file);

  bool wanted() const noexcept { return !m_file.empty(); }

  // False: the page was not built. Throws std::runtime_error if writing fails. Requires: `json` is JSON.
  bool write(const std::string& json) const;

 private:
  std::string m_file, m_template;
};

// The page with the data in it, which cannot end its script element. Throws std::runtime_error if the template has no place for
// them.
std::string filled(const std::string& page_template, const std::string& json);

}  // namespace app
