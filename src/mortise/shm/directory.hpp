#pragma once

#include <memory>
#include <string>

#include <dirent.h>

#include <mortise/base/abi.hpp>
#include <mortise/shm/descriptor.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// Where the files of named regions are: a directory of this user alone, mode 0700, made on first use.
//   $MORTISE_RUNTIME_DIR      if set: this one and no other
//   $XDG_RUNTIME_DIR/mortise  if set, absolute, ours and not writable for others
//   /tmp/mortise-UID          otherwise
// Promises
// - SR11 It is a directory of this user, shut for others, and reached by no symbolic link in its last part. One that is not is refused, but for a
//   session's that is not to be trusted, which is passed over like a missing one.
// Processes meet only where they agree on it: one that was started without XDG_RUNTIME_DIR (by cron, say) looks in /tmp.
// Throws: error if it is a symbolic link, somebody else's, or open to others; system_error, so for lack of descriptors: only
// what is missing or may not be entered is passed over for /tmp.
MORTISE_API std::string runtime_directory();

// The same, open: for openat. It is the caller's to close.
MORTISE_API int open_runtime_directory();

struct open_directory {
  descriptor file;
  std::string path;
};
open_directory find_runtime_directory();

// Its entries, for readdir. Throws system_error.
std::unique_ptr<DIR, int (*)(DIR*)> read_entries(int directory);

}  // namespace mortise::inline MORTISE_ABI::shm
