#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace crash {

// A runtime directory of a test's own (MORTISE_RUNTIME_DIR), which is removed with all that is in it.
class runtime_directory {
 public:
  runtime_directory() {
    std::string path = (std::filesystem::temp_directory_path() / "mortise-crash-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::filesystem::filesystem_error{"mkdtemp", path, {}};
    m_path = path;
    ::setenv("MORTISE_RUNTIME_DIR", path.c_str(), 1);
  }
  runtime_directory(const runtime_directory&) = delete;
  runtime_directory& operator=(const runtime_directory&) = delete;
  ~runtime_directory() {
    ::unsetenv("MORTISE_RUNTIME_DIR");
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
  }

  const std::filesystem::path& path() const noexcept { return m_path; }
  bool has(const char* name) const { return std::filesystem::exists(m_path / name); }
  void remove(const char* name) const { std::filesystem::remove(m_path / name); }
  std::size_t files() const {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& f : std::filesystem::directory_iterator{m_path}) ++n;
    return n;
  }
  std::string listing() const {
    std::string all;
    for (const auto& f : std::filesystem::directory_iterator{m_path})
      all += f.path().filename().string() + " ";
    return all;
  }

 private:
  std::filesystem::path m_path;
};

}  // namespace crash
