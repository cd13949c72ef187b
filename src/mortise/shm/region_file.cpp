#include <mortise/shm/region_file.hpp>

#include <algorithm>
#include <new>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>

#include <mortise/shm/byte_lock.hpp>
#include <mortise/shm/directory.hpp>
#include <mortise/shm/error.hpp>
#include <mortise/shm/lock_block.hpp>
#include <mortise/shm/new_file.hpp>

namespace mortise::inline MORTISE_ABI::shm {
namespace {

struct stat status_of(int fd, const std::string& subject) {
  struct stat s{};
  if (::fstat(fd, &s) != 0) throw_errno("cannot look at " + subject);
  return s;
}

open_region opened(descriptor file, const header& h) {
  // Keeps systemd-tmpfiles from removing what looks old, see tmpfiles.d(5); no harm if it is refused.
  (void)::flock(file.get(), LOCK_SH | LOCK_NB);
  // Memory keeps the description alive that it was mapped from, in forked children too: not the one with the locks.
  const descriptor without_locks{reopen(file.get())};
  if (!without_locks) throw_errno("cannot open shared memory once more, to map it");
  mapping memory{without_locks.get(), static_cast<std::size_t>(h.total_size)};
  return {std::move(file), std::move(memory), h.first_token};
}

// The token that a region of before the machine's last start had come to; 0 if there is none to be read.
std::uint64_t old_token(int fd) noexcept {
  std::uint64_t token = 0;
  const ssize_t n =
      ::pread(fd, &token, sizeof token, static_cast<off_t>(lock_at + offsetof(lock_block, token)));
  return n == sizeof token ? token : 0;
}

}  // namespace

mapping::mapping(int fd, std::size_t size, rights r) : m_size{size} {
  void* const at =
      ::mmap(nullptr, size, r == to_look ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) throw_errno("cannot map " + std::to_string(size) + " bytes of shared memory");
  m_at = static_cast<std::byte*>(at);
}

mapping::~mapping() {
  if (m_at != nullptr) ::munmap(m_at, m_size);
}

void check_file(const struct stat& s, nlink_t most_links, const std::string& subject) {
  if (!S_ISREG(s.st_mode)) throw error{subject + " must be a regular file, and is none"};
  if (s.st_uid != ::geteuid()) {
    throw error{subject + " belongs to user " + std::to_string(s.st_uid) + ", and must belong to user " +
                std::to_string(::geteuid())};
  }
  if ((s.st_mode & 07777) != 0600) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", s.st_mode & 07777);
    throw error{subject + " has mode " + mode + ", and must have 0600"};
  }
  if (s.st_nlink > most_links) {
    throw error{subject + " has " + std::to_string(s.st_nlink) + " names, and must have " +
                std::to_string(most_links) + ": a hard link was made of it"};
  }
}

header read_header(int fd, const struct stat& s, const std::string& subject) {
  header h{};
  if (s.st_size < static_cast<off_t>(header_size)) {
    throw error{subject + " has " + std::to_string(s.st_size) +
                " bytes, too few for a region: it was cut, or is none"};
  }
  const ssize_t n = ::pread(fd, &h, sizeof h, 0);
  if (n < 0) throw_errno("cannot read " + subject);
  if (n != sizeof h) throw error{subject + " was cut while it was read"};
  return h;
}

bool is_called(int directory, const std::string& name, const struct stat& file) {
  struct stat now{};
  if (::fstatat(directory, name.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return false;
    throw_errno("cannot look at the file '" + name + "'");
  }
  return now.st_dev == file.st_dev && now.st_ino == file.st_ino;
}

descriptor open_entry(const open_directory& directory, const std::string& name, int flags,
                      const std::string& subject) {
  descriptor file{::openat(directory.file.get(), name.c_str(), flags)};
  if (file || errno == ENOENT) return file;
  if (errno == ELOOP) throw error{subject + " must be a regular file, and is a symbolic link"};
  if (errno == EISDIR || errno == ENXIO || errno == ENODEV)
    throw error{subject + " must be a regular file, and is none"};
  const int refused = errno;
  struct stat s{};
  if (::fstatat(directory.file.get(), name.c_str(), &s, AT_SYMLINK_NOFOLLOW) == 0) {
    check_file(s, 1, subject);  // a clearer line, where it is somebody else's
  }
  errno = refused;
  throw_errno("cannot open " + subject);
}

std::optional<open_region> try_open_named(const std::string& name, const maker& with) {
  const open_directory directory = find_runtime_directory();
  const int dir = directory.file.get();
  const std::string subject = "shared memory '" + name + "' (" + directory.path + "/" + name + ")";
  descriptor file = open_entry(directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, subject);
  if (!file) {
    auto made = make_named(directory, name, subject, with, 0, false);
    if (!made) return std::nullopt;
    const header h = read_header(made->get(), status_of(made->get(), subject), subject);
    return opened(std::move(*made), h);
  }
  const struct stat s = status_of(file.get(), subject);
  if (s.st_nlink == 0) return std::nullopt;  // removed since
  check_file(s, 1, subject);
  const header h = read_header(file.get(), s, subject);
  const verdict found = judge(h, static_cast<std::uint64_t>(s.st_size), &with.what, subject);
  if (found == verdict::good) {
    if (!byte_lock::try_take_shared(file.get(), byte_lock::presence)) return std::nullopt;
    // Only now nobody removes it: if the name still stands for it, it will for as long as this description lives.
    if (!is_called(dir, name, s)) return std::nullopt;
    return opened(std::move(file), h);
  }
  // Nobody has it. One process makes another in its place, the others wait for the byte and then find the new file.
  if (!byte_lock::try_take_exclusive(file.get(), byte_lock::presence) || !is_called(dir, name, s))
    return std::nullopt;
  const std::uint64_t floor =
      found == verdict::other_boot ? std::max(h.first_token, old_token(file.get())) + 1 : 0;
  auto made = make_named(directory, name, subject, with, floor, true);
  if (!made) return std::nullopt;
  const header fresh = read_header(made->get(), status_of(made->get(), subject), subject);
  return opened(std::move(*made), fresh);
}

open_region make_anonymous(const maker& with) {
  const descriptor made = make_unnamed(with);
  return open_descriptor(made.get(), with.what);
}

open_region open_descriptor(int fd, const content& what) {
  const std::string subject = "shared memory behind descriptor " + std::to_string(fd);
  if (::fcntl(fd, F_GETFD) < 0) throw_errno("cannot open " + subject);
  // A description of its own: that of `fd` is shared with whoever passed it on.
  descriptor file{reopen(fd)};
  if (!file) throw_errno("cannot open " + subject);
  const struct stat s = status_of(file.get(), subject);
  check_file(s, 1, subject);
  const int seals = ::fcntl(file.get(), F_GET_SEALS);
  if (s.st_nlink == 0 && (seals < 0 || (seals & F_SEAL_SHRINK) == 0)) {
    throw error{
        subject +
        " is no file with a name and no memory sealed against shrinking (F_SEAL_SHRINK): it could be cut"};
  }
  const header h = read_header(file.get(), s, subject);
  if (judge(h, static_cast<std::uint64_t>(s.st_size), &what, subject) != verdict::good) {
    throw error{subject +
                " is not ready: its maker did not finish, or made it before the machine was started anew"};
  }
  if (!byte_lock::try_take_shared(file.get(), byte_lock::presence)) {
    throw error{subject + " is being removed by another process"};
  }
  return opened(std::move(file), h);
}

}  // namespace mortise::inline MORTISE_ABI::shm
