#include <mortise/shm/new_file.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <mortise/shm/byte_lock.hpp>
#include <mortise/shm/error.hpp>
#include <mortise/shm/lock_block.hpp>

namespace mortise::inline MORTISE_ABI::shm {
namespace {

// Gives the file all its pages, so that their lack is an error here and no signal later, and writes the region into it.
void fill(int fd, const std::string& subject, const maker& with, std::uint64_t floor) {
  const std::size_t size = total_size(with.what);
  int refused;
  do refused = ::posix_fallocate(fd, 0, static_cast<off_t>(size));
  while (refused == EINTR);
  if (refused != 0) {
    throw std::system_error{refused, std::generic_category(),
                            "cannot give " + subject + " its " + std::to_string(size) + " bytes"};
  }
  const mapping memory{fd, size};
  const header finished = make_header(with.what, std::max(realtime_ns(), floor));
  with.make(memory.at() + payload_at, with.argument);
  initialise(*reinterpret_cast<lock_block*>(memory.at() + lock_at), finished.first_token);
  std::memcpy(memory.at(), &finished, sizeof finished);
}

// A name that is unlinked again unless it was renamed.
struct unfinished_name {
  int directory;
  std::string name;
  bool renamed = false;
  ~unfinished_name() {
    if (!renamed) ::unlinkat(directory, name.c_str(), 0);
  }
};

std::string fresh_name() {
  static std::atomic<unsigned> count{0};  // relaxed: numbers that differ are enough
  return unfinished_prefix + std::to_string(::getpid()) + "-" +
         std::to_string(count.fetch_add(1, std::memory_order_relaxed)) + "-" + std::to_string(realtime_ns());
}

// Removes what killed makers left: nobody has its byte.
void sweep(int directory) {
  const auto entries = read_entries(directory);
  while (const dirent* const entry = ::readdir(entries.get())) {
    if (std::strncmp(entry->d_name, unfinished_prefix, std::strlen(unfinished_prefix)) != 0) continue;
    const descriptor left{::openat(directory, entry->d_name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
    if (left && byte_lock::try_take_exclusive(left.get(), byte_lock::presence)) {
      ::unlinkat(directory, entry->d_name, 0);
    }
  }
}

}  // namespace

std::optional<descriptor> make_named(const open_directory& directory, const std::string& name,
                                     const std::string& subject, const maker& with, std::uint64_t floor,
                                     bool replace) {
  const int dir = directory.file.get();
  sweep(dir);
  unfinished_name as{dir, fresh_name()};
  descriptor file{::openat(dir, as.name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!file) {
    as.renamed = true;  // it is not ours
    if (errno == EEXIST) return std::nullopt;
    throw_errno("cannot make a file for " + subject);
  }
  if (::fchmod(file.get(), 0600) != 0)
    throw_errno("cannot set the mode of " + subject);  // whatever the umask
  // Between the two lines above and this one the file may have been swept; then renaming finds nothing.
  if (!byte_lock::try_take_shared(file.get(), byte_lock::presence)) return std::nullopt;
  fill(file.get(), subject, with, floor);
  if (::renameat2(dir, as.name.c_str(), dir, name.c_str(), replace ? 0 : RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST || errno == ENOENT) return std::nullopt;
    throw_errno("cannot give " + subject + " its name");
  }
  as.renamed = true;
  return file;
}

descriptor make_unnamed(const maker& with) {
  const std::string subject = "anonymous shared memory";
  descriptor file{::memfd_create("mortise", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!file) throw_errno("cannot make " + subject);
  if (::fchmod(file.get(), 0600) != 0) throw_errno("cannot set the mode of " + subject);
  fill(file.get(), subject, with, 0);
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    throw_errno("cannot seal " + subject);
  return file;
}

}  // namespace mortise::inline MORTISE_ABI::shm
