#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <support/runtime_place.hpp>
#include <vector>

#include <mortise/shm/error.hpp>
#include <mortise/shm/listing.hpp>
#include <mortise/shm/region.hpp>

#include "properties.hpp"

namespace fuzz {
namespace {

using mortise::shm::content;
using mortise::shm::header;
using mortise::shm::region;
using mortise::shm::verdict;

constexpr content wanted{"fuzzed", 99, 40, 8};

// A file of this process' own, and what stands in it when it is good.
struct stage {
  mortise::test::runtime_place room;
  int file = -1;
  std::vector<char> good;

  stage() {
    region{"r", wanted, [](void*, void*) {}, nullptr};
    file = ::open(room.path("r").c_str(), O_RDWR | O_CLOEXEC);
    good.resize(mortise::shm::payload_at);
    if (::pread(file, good.data(), good.size(), 0) != static_cast<ssize_t>(good.size()))
      throw broken("cannot read");
  }
};

void is_one_line(std::string_view what) {
  const bool shown = std::all_of(what.begin(), what.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!shown || what.size() > 600)
    throw broken("a refusal is one line that can be shown: " + std::string(what));
}

// Any bytes for a header, with any size of the file.
void judged(std::string_view bytes, const header& good) {
  header h = good;
  std::memcpy(&h, bytes.data(), std::min(bytes.size(), sizeof h));
  std::uint64_t size = h.total_size;
  if (!bytes.empty() && bytes.back() % 2 != 0) size ^= static_cast<unsigned char>(bytes.back());
  try {
    if (mortise::shm::judge(h, size, &wanted, "it") != verdict::good) return;
  } catch (const mortise::shm::error& e) {
    return is_one_line(e.what());
  }
  if (h.type_size != wanted.size || h.type_hash != wanted.type_hash || h.total_size != size ||
      size != mortise::shm::total_size(wanted)) {
    throw broken("what is good is what was wanted");
  }
}

// Three bytes each: where, in what comes before the payload, and what another process wrote there.
std::vector<char> forged(std::string_view edits, std::vector<char> file) {
  for (; edits.size() >= 3; edits.remove_prefix(3)) {
    std::size_t at = static_cast<unsigned char>(edits[0]) << 8 | static_cast<unsigned char>(edits[1]);
    if (at >= 0x8000) at = mortise::shm::lock_at + (at & 0x1ff);
    file[at] = edits[2];
  }
  return file;
}

}  // namespace

void region_properties(std::string_view text) {
  static stage s;
  header good;
  std::memcpy(&good, s.good.data(), sizeof good);
  judged(text, good);

  const std::vector<char> file = forged(text, s.good);
  if (::pwrite(s.file, file.data(), file.size(), 0) != static_cast<ssize_t>(file.size()))
    throw broken("cannot write");
  const auto seen = mortise::shm::inspect_region("r");
  if (!seen) throw broken("it is there");
  for (const auto& p : seen->participants) is_one_line(p.command);
  is_one_line(seen->refused);
  is_one_line(seen->type);
  if (seen->refused.empty() && seen->state != verdict::good)
    return;  // it would be made anew, in another file
  try {
    region r{"r", wanted, nullptr, nullptr};
    if (!r.members().alive(r.members().me())) throw broken("who takes part is alive");
    if (mortise::shm::inspect_region("r")->participants.size() != 1) throw broken("one takes part");
  } catch (const mortise::shm::error& e) {
    is_one_line(e.what());
  }
}

}  // namespace fuzz
