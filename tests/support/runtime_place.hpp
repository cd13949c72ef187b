#pragma once

// A runtime directory of a test's own, for all that it and its children open.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace mortise::test {

class runtime_place {
 public:
  runtime_place() {
    std::string name = std::filesystem::temp_directory_path() / "mortise-shm-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    m_path = name;
    ::setenv("MORTISE_RUNTIME_DIR", name.c_str(), 1);
  }
  ~runtime_place() {
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
  }
  runtime_place(const runtime_place&) = delete;
  runtime_place& operator=(const runtime_place&) = delete;

  std::filesystem::path path(const std::string& name = {}) const {
    return name.empty() ? m_path : m_path / name;
  }

  // What is in it, sorted.
  std::vector<std::string> entries() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(m_path))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  std::filesystem::path m_path;
};

// The descriptors that this process has open below `folder`.
inline std::size_t descriptors_below(const std::filesystem::path& folder) {
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    found += std::filesystem::read_symlink(entry.path(), ignored).string().starts_with(folder.string());
  }
  return found;
}

}  // namespace mortise::test
