#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <sys/stat.h>

#include <mortise/base/abi.hpp>
#include <mortise/shm/descriptor.hpp>
#include <mortise/shm/directory.hpp>
#include <mortise/shm/header.hpp>

// The file behind a region: made whole or not at all, and refused where it is not as it must be. All of it under the guard
// of live_participants, so that no forked child has a half of it.
namespace mortise::inline MORTISE_ABI::shm {

class mapping {
 public:
  mapping() = default;
  enum rights { to_look, to_change };
  mapping(int fd, std::size_t size, rights = to_change);  // throws system_error
  mapping(mapping&& o) noexcept : m_at{std::exchange(o.m_at, nullptr)}, m_size{o.m_size} {}
  mapping& operator=(mapping&& o) noexcept {
    std::swap(m_at, o.m_at);
    std::swap(m_size, o.m_size);
    return *this;
  }
  ~mapping();
  std::byte* at() const noexcept { return m_at; }

 private:
  std::byte* m_at = nullptr;
  std::size_t m_size = 0;
};

// What a new region is filled with.
struct maker {
  const content& what;
  void (*make)(void* payload, void* argument);
  void* argument;
};

struct open_region {
  descriptor file;  // holds the presence byte, shared
  mapping memory;
  std::uint64_t first_token = 0;
};

// Nothing: another process is about to make, to re-make or to remove it, or was; to be tried again, without the guard meanwhile.
std::optional<open_region> try_open_named(const std::string& name, const maker& with);
open_region make_anonymous(const maker& with);
open_region open_descriptor(int fd, const content& what);

// What lies in the directory under this name; nothing: nothing does. Throws error for what cannot be opened as a file is.
descriptor open_entry(const open_directory& directory, const std::string& name, int flags,
                      const std::string& subject);

// Refuses what is not a regular file of this user, closed to others, with at most `most_links` links. Throws error.
void check_file(const struct stat& s, nlink_t most_links, const std::string& subject);

// Throws error if the file is too short, system_error.
header read_header(int fd, const struct stat& s, const std::string& subject);

// Whether the name stands for this very file.
bool is_called(int directory, const std::string& name, const struct stat& file);

}  // namespace mortise::inline MORTISE_ABI::shm
