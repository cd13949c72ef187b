#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// Where a region lies: under a name that all processes of this user see, or behind a descriptor that is passed on.
//
//     mortise::shm::mutex jobs{"jobs"};
//     mortise::shm::mutex mine{mortise::shm::place::anonymous()};
class place {
 public:
  // A file in the runtime directory of this user (directory.hpp). Throws error: a name has 1 to 64 letters, digits, dots, hyphens and
  // underscores, and begins with a letter, a digit or an underscore.
  template <std::convertible_to<std::string_view> Name>
  place(const Name& name) : place{named, std::string_view{name}} {}

  // Memory that has no name: children have it after fork, others by its descriptor.
  static place anonymous() { return place{}; }

  // The region behind a descriptor that was inherited or received over a socket. It stays the caller's, who may close it as
  // soon as the region is open.
  static place descriptor(int fd) {
    place p;
    p.m_descriptor = fd;
    return p;
  }

  // What the constructor takes.
  MORTISE_API static bool is_name(std::string_view name) noexcept;

  const std::string& name() const noexcept { return m_name; }  // empty: it has none
  int descriptor() const noexcept { return m_descriptor; }     // -1: none was given

 private:
  enum tag { named };
  place() = default;
  MORTISE_API place(tag, std::string_view name);

  std::string m_name;
  int m_descriptor = -1;
};

}  // namespace mortise::inline MORTISE_ABI::shm
