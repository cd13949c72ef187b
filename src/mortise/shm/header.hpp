#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/shm/lock_block.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// What a region holds. Who opens it must mean the same.
struct content {
  std::string_view type;    // for people; 127 characters of it are kept
  std::uint64_t type_hash;  // for comparison
  std::size_t size;
  std::size_t alignment;  // a power of two, at most 4,096
};

// The first 4,096 bytes of a region, written by its maker before anybody else has it and never changed.
struct header {
  char magic[8];
  std::uint32_t layout;    // the version of all that is here
  std::uint32_t platform;  // the size of a pointer, and whose pthread_mutex_t it is
  std::uint64_t type_hash;
  std::uint64_t type_size;
  std::uint64_t type_alignment;
  std::uint64_t total_size;
  std::uint64_t first_token;
  std::uint64_t created;  // CLOCK_REALTIME, ns
  char boot_id[40];
  char type[128];       // ends with a zero
  std::uint32_t ready;  // 1, written last
};
inline constexpr std::size_t header_size = 4096;
static_assert(std::is_trivially_copyable_v<header> && sizeof(header) <= header_size);

// Where things are in a region.
inline constexpr std::size_t participant_limit = 1024;
inline constexpr std::size_t participant_size = 64;
inline constexpr std::size_t participants_at = header_size;
inline constexpr std::size_t lock_at = participants_at + participant_limit * participant_size;
inline constexpr std::size_t payload_at = lock_at + header_size;
static_assert(lock_block_size <= payload_at - lock_at && payload_at % header_size == 0);

// Of the whole region, in whole pages. Throws error if the content has no such size or alignment.
std::size_t total_size(const content& what);

// A header for a new region, ready at once: it is copied in when all else is there.
header make_header(const content& what, std::uint64_t first_token);

// What is to be done with a region whose header was read.
enum class verdict {
  good,        // it may be opened
  unfinished,  // its maker was killed, or the machine stopped: to be made anew
  other_boot,  // from before the machine was started anew, so nobody has it: to be made anew, with higher tokens
};

// Promises
// - SR12 Whatever the bytes are: a verdict, or one line that can be shown; and what is good has the content and the size that were asked for.
//
// Any bytes are refused that are no header of a file of this size, and what does not hold `wanted`, in one line each that begins
// with `subject`. Without `wanted` any content will do. Throws error.
verdict judge(const header& h, std::uint64_t file_size, const content* wanted, const std::string& subject);

bool has_magic(const header& h) noexcept;
bool is_zero(const header& h) noexcept;

// The same between starts of the machine, another after one. Throws system_error.
std::string boot_id();

// CLOCK_REALTIME in nanoseconds: a first token that is higher than what any region of this name can have come to, at one tenure a
// nanosecond, as long as that clock is not set back.
MORTISE_API std::uint64_t realtime_ns() noexcept;

// What came out of a file, fit to be shown.
std::string printable(std::string_view text);
std::string type_of(const header& h);

}  // namespace mortise::inline MORTISE_ABI::shm
