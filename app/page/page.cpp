#include <app/page/page.hpp>
#include <app/run/options.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace app {
namespace {

namespace fs = std::filesystem;

// The build tree has the command and share/ side by side, an installation has the command in a folder beside share/, and mortise-cluster in
// libexec/mortise there.
std::string find_template() {
  const fs::path beside = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& place : {beside, beside.parent_path(), beside.parent_path().parent_path()}) {
    const fs::path file = place / "share/mortise/report.html";
    std::error_code ignored;
    if (fs::is_regular_file(file, ignored)) return file.string();
  }
  return {};
}

std::string read(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw std::runtime_error(fmt::format("{} cannot be read", name));
  return text;
}

}  // namespace

std::string filled(const std::string& page_template, const std::string& json) {
  constexpr std::string_view place = "/*DATA*/";
  const std::size_t at = page_template.find(place);
  if (at == std::string::npos) throw std::runtime_error("the page has no place for data");
  std::string page = page_template.substr(0, at);
  for (const char c : json) {
    if (c == '<') {  // or "</script>" in a text would end the element
      page += "\\u003c";
    } else {
      page += c;
    }
  }
  return page.append(page_template, at + place.size());
}

page::page(std::string file) : m_file{std::move(file)} {
  if (m_file.empty()) return;
  if (!std::ofstream(m_file, std::ios::app))
    throw usage_error(fmt::format("--report: {} cannot be written", m_file));
  const std::string found = find_template();
  if (!found.empty()) {
    m_template = read(found);
  } else {
    fmt::print(stderr,
               "mortise: --report: no page will be written: share/mortise/report.html is missing, which is "
               "built where node and npm are installed\n");
  }
}

bool page::write(const std::string& json) const {
  if (m_template.empty()) return false;
  std::ofstream file(m_file, std::ios::binary | std::ios::trunc);
  file << filled(m_template, json);
  file.close();
  if (!file) throw std::runtime_error(fmt::format("--report: {} cannot be written", m_file));
  return true;
}

}  // namespace app
