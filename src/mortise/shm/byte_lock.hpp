#pragma once

#include <cerrno>
#include <cstddef>

#include <fcntl.h>

#include <mortise/base/abi.hpp>
#include <mortise/base/fatal.hpp>
#include <mortise/shm/descriptor.hpp>

// Locks on single bytes far beyond the end of a region's file, by which its processes know of each other. They belong to the open
// file description (F_OFD_SETLK) and not to the process: several handles in one process tell each other apart, and the kernel
// drops them when the last descriptor is closed, which is when the process' last thread is gone, by whatever it ended.
namespace mortise::inline MORTISE_ABI::shm::byte_lock {

// Held shared by every description that has the region open, for as long. Who can take it exclusively may remove the file.
inline constexpr off_t presence = off_t{1} << 40;

// Held exclusively by the participant that has this slot.
inline off_t of_slot(std::size_t slot) noexcept { return presence + 64 + static_cast<off_t>(slot); }

inline struct flock request(short kind, off_t first, off_t count) noexcept {
  struct flock f{};
  f.l_type = kind;
  f.l_whence = SEEK_SET;
  f.l_start = first;
  f.l_len = count;
  return f;
}

// False: another description has it in a way that excludes this one. Throws system_error. Never waits.
inline bool try_take(int fd, short kind, off_t byte) {
  struct flock f = request(kind, byte, 1);
  if (::fcntl(fd, F_OFD_SETLK, &f) == 0) return true;
  if (errno != EAGAIN && errno != EACCES) throw_errno("cannot lock a byte of shared memory's file");
  return false;
}
inline bool try_take_shared(int fd, off_t byte) { return try_take(fd, F_RDLCK, byte); }
inline bool try_take_exclusive(int fd, off_t byte) { return try_take(fd, F_WRLCK, byte); }

inline void release(int fd, off_t byte) noexcept {
  struct flock f = request(F_UNLCK, byte, 1);
  (void)::fcntl(fd, F_OFD_SETLK, &f);
}

// Whether another description than fd's has one of these bytes, shared or not.
inline bool is_taken(int fd, off_t first, off_t count = 1) noexcept {
  struct flock f = request(F_WRLCK, first, count);
  if (::fcntl(fd, F_OFD_GETLK, &f) != 0) {
    fatal("shm: descriptor %d of a region cannot be asked for locks (errno %d): was it closed by other code?",
          fd, errno);
  }
  return f.l_type != F_UNLCK;
}

}  // namespace mortise::inline MORTISE_ABI::shm::byte_lock
