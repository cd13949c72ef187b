#include <mortise/shm/directory.hpp>

#include <cstdlib>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>

#include <mortise/shm/error.hpp>

namespace mortise::inline MORTISE_ABI::shm {
namespace {

constexpr int as_directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::string octal(mode_t mode) {
  std::string digits;
  for (unsigned m = mode & 07777; m != 0; m /= 8)
    digits.insert(digits.begin(), static_cast<char>('0' + m % 8));
  return '0' + digits;
}

// Opens it, made before if need be, and refuses one that is not for this user alone.
descriptor open_private(int parent, const char* name, const std::string& path) {
  const bool made = ::mkdirat(parent, name, 0700) == 0;
  if (!made && errno != EEXIST) throw_errno("cannot make the directory " + path);
  descriptor d{::openat(parent, name, as_directory)};
  if (!d && (errno == ELOOP || errno == ENOTDIR)) {
    throw error{path +
                " must be a directory and no symbolic link: shared memory is not looked for behind it"};
  }
  if (!d) throw_errno("cannot open the directory " + path);
  struct stat s{};
  if (::fstat(d.get(), &s) != 0) throw_errno("cannot look at the directory " + path);
  if (s.st_uid != ::geteuid()) {
    throw error{path + " belongs to user " + std::to_string(s.st_uid) + ", and must belong to user " +
                std::to_string(::geteuid()) + ": shared memory in it could be anybody's"};
  }
  if (made && (s.st_mode & 07777) != 0700) {  // the umask took of the owner's bits
    if (::fchmod(d.get(), 0700) != 0) throw_errno("cannot set the mode of the directory " + path);
    return d;
  }
  if ((s.st_mode & 0077) != 0) {
    throw error{path + " has mode " + octal(s.st_mode) +
                ", and must have 0700: others could change what is in it"};
  }
  return d;
}

// $XDG_RUNTIME_DIR, if there is one to be trusted.
std::optional<open_directory> of_session() {
  const char* const set = ::secure_getenv("XDG_RUNTIME_DIR");
  if (set == nullptr || *set != '/') return std::nullopt;
  std::string path{set};
  while (path.size() > 1 && path.back() == '/')
    path.pop_back();  // behind a slash a symbolic link would be followed
  descriptor session{::open(path.c_str(), as_directory)};
  if (!session) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP) return std::nullopt;
    throw_errno("cannot open the directory " + path);
  }
  struct stat s{};
  if (::fstat(session.get(), &s) != 0) throw_errno("cannot look at the directory " + path);
  if (s.st_uid != ::geteuid() || (s.st_mode & 0022) != 0) return std::nullopt;
  path += "/mortise";
  try {
    return open_directory{open_private(session.get(), "mortise", path), path};
  } catch (const std::system_error& refused) {
    if (refused.code() == std::errc::permission_denied) return std::nullopt;
    throw;
  }
}

}  // namespace

open_directory find_runtime_directory() {
  if (const char* const set = ::secure_getenv("MORTISE_RUNTIME_DIR"); set != nullptr && *set != '\0') {
    std::string path{set};
    if (path.front() != '/') throw error{"MORTISE_RUNTIME_DIR is '" + path + "', and must begin with '/'"};
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    return {open_private(AT_FDCWD, path.c_str(), path), path};
  }
  if (auto found = of_session()) return std::move(*found);
  std::string path = "/tmp/mortise-" + std::to_string(::geteuid());
  return {open_private(AT_FDCWD, path.c_str(), path), path};
}

std::unique_ptr<DIR, int (*)(DIR*)> read_entries(int directory) {
  descriptor again{::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};  // a position of its own
  std::unique_ptr<DIR, int (*)(DIR*)> entries{again ? ::fdopendir(again.get()) : nullptr, ::closedir};
  if (!entries) throw_errno("cannot read the runtime directory");
  again.release();
  return entries;
}

std::string runtime_directory() { return find_runtime_directory().path; }

int open_runtime_directory() { return find_runtime_directory().file.release(); }

}  // namespace mortise::inline MORTISE_ABI::shm
