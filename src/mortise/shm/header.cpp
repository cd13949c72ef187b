#include <mortise/shm/header.hpp>

#include <algorithm>
#include <cstring>
#include <ctime>

#include <fcntl.h>

#include <mortise/shm/descriptor.hpp>
#include <mortise/shm/error.hpp>

namespace mortise::inline MORTISE_ABI::shm {
namespace {

constexpr char magic[8] = {'m', 'o', 'r', 't', 'i', 's', 'e', '\n'};
constexpr std::uint32_t layout = 1;
#if defined(__GLIBC__)
constexpr std::uint32_t c_library = 1;
#else
constexpr std::uint32_t c_library = 2;
#endif
constexpr std::uint32_t platform = sizeof(void*) | sizeof(pthread_mutex_t) << 8 | c_library << 24;

// Far more than a machine has, and far less than what overflows.
constexpr std::size_t largest_content = std::size_t{1} << (sizeof(std::size_t) > 4 ? 44 : 30);

std::string of_type(const std::string& type, std::uint64_t size, std::uint64_t alignment) {
  return "'" + type + "' (" + std::to_string(size) + " bytes, alignment " + std::to_string(alignment) + ")";
}

bool is_alignment(std::uint64_t n) noexcept { return n != 0 && (n & (n - 1)) == 0 && n <= header_size; }

std::size_t total_of(std::size_t size) noexcept {
  return payload_at + (size + header_size - 1) / header_size * header_size;
}

}  // namespace

bool is_zero(const header& h) noexcept {
  const char* const bytes = reinterpret_cast<const char*>(&h);
  return std::all_of(bytes, bytes + sizeof h, [](char c) { return c == 0; });
}

bool has_magic(const header& h) noexcept { return std::memcmp(h.magic, magic, sizeof magic) == 0; }

std::size_t total_size(const content& what) {
  if (what.size > largest_content || !is_alignment(what.alignment)) {
    throw error{"shared memory cannot hold " + of_type(printable(what.type), what.size, what.alignment) +
                ": at most " + std::to_string(largest_content) + " bytes, aligned to 4096 at most"};
  }
  return total_of(what.size);
}

header make_header(const content& what, std::uint64_t first_token) {
  header h{};
  std::memcpy(h.magic, magic, sizeof magic);
  h.layout = layout;
  h.platform = platform;
  h.type_hash = what.type_hash;
  h.type_size = what.size;
  h.type_alignment = what.alignment;
  h.total_size = total_size(what);
  h.first_token = first_token;
  h.created = realtime_ns();
  boot_id().copy(h.boot_id, sizeof h.boot_id - 1);
  what.type.copy(h.type, sizeof h.type - 1);
  h.ready = 1;
  return h;
}

verdict judge(const header& h, std::uint64_t file_size, const content* wanted, const std::string& subject) {
  if (is_zero(h)) return verdict::unfinished;
  if (!has_magic(h)) {
    throw error{subject + " is not a region of mortise: its first 8 bytes say otherwise"};
  }
  if (h.layout != layout) {
    throw error{subject + " has layout " + std::to_string(h.layout) + ", and this program knows layout " +
                std::to_string(layout) + " only: another version of mortise made it"};
  }
  if (h.platform != platform) {
    throw error{subject + " was made by a program with pointers or a C library of another kind (" +
                std::to_string(h.platform) + ", here " + std::to_string(platform) +
                "): they cannot share a lock"};
  }
  if (h.ready != 1) return verdict::unfinished;
  if (h.type_size > largest_content || !is_alignment(h.type_alignment) ||
      h.total_size != total_of(h.type_size) || h.type[sizeof h.type - 1] != 0 ||
      h.boot_id[sizeof h.boot_id - 1] != 0) {
    throw error{subject + " has a header that contradicts itself: no version of mortise wrote it"};
  }
  if (h.total_size != file_size) {
    throw error{subject + " has " + std::to_string(file_size) + " bytes, and its header says " +
                std::to_string(h.total_size) + ": it was cut or extended"};
  }
  if (h.boot_id != boot_id()) return verdict::other_boot;
  if (wanted == nullptr) return verdict::good;
  if (h.type_hash != wanted->type_hash || h.type_size != wanted->size ||
      h.type_alignment != wanted->alignment) {
    throw error{
        subject + " holds " + of_type(type_of(h), h.type_size, h.type_alignment) + ", not " +
        of_type(printable(wanted->type.substr(0, sizeof h.type - 1)), wanted->size, wanted->alignment)};
  }
  return verdict::good;
}

std::string boot_id() {
  const descriptor file{::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)};
  char text[sizeof header::boot_id];
  const ssize_t n = file ? ::read(file.get(), text, sizeof text - 1) : -1;
  if (n < 0) throw_errno("cannot read /proc/sys/kernel/random/boot_id");
  return {text, static_cast<std::size_t>(std::find(text, text + n, '\n') - text)};
}

std::uint64_t realtime_ns() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

std::string printable(std::string_view text) {
  std::string shown{text};
  std::replace_if(shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

std::string type_of(const header& h) { return printable({h.type, ::strnlen(h.type, sizeof h.type)}); }

}  // namespace mortise::inline MORTISE_ABI::shm
