#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <mortise/base/abi.hpp>
#include <mortise/shm/header.hpp>
#include <mortise/shm/lock_block.hpp>
#include <mortise/shm/participants.hpp>
#include <mortise/shm/place.hpp>
#include <mortise/shm/region_file.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// Memory that processes of one user share: a header, who takes part, a lock, and the payload. What shm::mutex and shm::guarded
// lie in; who needs neither has memory of their own.
//
// Promises
// - SR1 However many processes open a name at once, and whichever of them are killed meanwhile: one region is made, all have
//   that one, and nobody ever sees it unfinished. What `make` throws leaves no region behind.
// - SR2 A name that is open stands for this region until the last handle is gone: it cannot be removed (listing.hpp) or made anew.
// - SR3 What a squatter left is refused in a line that says what is wrong: a symbolic link, no regular file, another owner, another mode than
//   0600, a hard link, a file that was cut, bytes that are no header, another type, size or version.
// - SR4 The region has all its pages: no room on the disk or in the tmpfs is a system_error here, never a signal later.
// - SR5 Tokens of a region made anew, after a removal or a start of the machine, begin above those of the one before.
// - SR8 In a forked child the region is the same, and another participant's (participants.hpp).
// Does not promise anything against other programs of the same user that remove the file by hand, cut it, or write nonsense into
// it: all who have a region trust one another. Nor anything where a cgroup's limit is reached, which kills. Nor that memory is given
// back: a region lives until `mortise shm rm` or, if it is anonymous, until nobody has it.
// Requires: `make` neither forks nor opens regions. No call is in progress when the handle is destroyed.
// Blocks: while another process makes, re-makes or removes it, for microseconds; after 5 s of that it throws.
// Cost: one descriptor, two once descriptor() was called; some 200 us to make one, 60 us to open it.
// Throws: error; system_error; what `make` throws.
class region {
 public:
  MORTISE_API region(const place& where, const content& what, void (*make)(void* payload, void* argument),
                     void* argument);
  MORTISE_API ~region();
  region(const region&) = delete;
  region& operator=(const region&) = delete;

  // content.size bytes, aligned to 4,096.
  void* payload() const noexcept { return m_open.memory.at() + payload_at; }
  lock_block& lock() const noexcept { return *m_lock; }

  // This handle's entry.
  participants& members() noexcept { return m_members; }
  const participants& members() const noexcept { return m_members; }

  // To be passed on, over exec or a socket, for place::descriptor. It carries no locks, unlike the one that makes this process
  // a participant: whoever has it keeps nobody alive. Closed with the region. Throws: system_error.
  MORTISE_API int descriptor() const;

  // For messages: the name, "(anonymous)" or "(descriptor 7)".
  const std::string& name() const noexcept { return m_name; }

  // Tenures of this region have higher tokens.
  std::uint64_t first_token() const noexcept { return m_open.first_token; }

 private:
  std::string m_name;
  open_region m_open;  // its file: m_members'
  lock_block* m_lock = nullptr;
  participants m_members;
  mutable shm::descriptor m_passed;  // under the guard of live_participants
};

}  // namespace mortise::inline MORTISE_ABI::shm
