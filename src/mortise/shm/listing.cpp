#include <mortise/shm/listing.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>

#include <dirent.h>
#include <fcntl.h>

#include <mortise/shm/byte_lock.hpp>
#include <mortise/shm/directory.hpp>
#include <mortise/shm/error.hpp>
#include <mortise/shm/place.hpp>
#include <mortise/shm/process.hpp>
#include <mortise/shm/region_file.hpp>

namespace mortise::inline MORTISE_ABI::shm {
namespace {

constexpr int to_look = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

std::string subject_of(const open_directory& directory, const std::string& name) {
  return "shared memory '" + name + "' (" + directory.path + "/" + name + ")";
}

struct stat status_of(int fd, const std::string& subject) {
  struct stat s{};
  if (::fstat(fd, &s) != 0) throw_errno("cannot look at " + subject);
  return s;
}

// relaxed, all of it: it is for people, and parts may be of different moments
void look_at_lock(const lock_block& block, region_info& found) {
  found.token = block.token.load(memory_order_relaxed);
  found.holder = block.holder.load(memory_order_relaxed);
  found.keeper = block.kept.load(memory_order_relaxed);
  found.owner_died = block.died.load(memory_order_relaxed) != 0;
}

std::optional<participant_info> look_at_slot(const participant_slot& slot, std::size_t index, int fd,
                                             std::uint64_t ours) {
  participant_info p{};
  const std::uint32_t generation = slot.generation.load(memory_order_acquire);  // see participants.cpp
  p.pid = slot.pid.load(memory_order_relaxed);
  if (p.pid == 0 || !byte_lock::is_taken(fd, byte_lock::of_slot(index))) return std::nullopt;
  p.id = participant_in(index, generation);
  p.waiting = slot.waiting.load(memory_order_relaxed);
  char command[17] = {};
  const std::uint64_t words[2] = {slot.command[0].load(memory_order_relaxed),
                                  slot.command[1].load(memory_order_relaxed)};
  std::memcpy(command, words, sizeof words);
  p.command = printable(command);
  const std::uint64_t theirs = slot.pid_namespace.load(memory_order_relaxed);
  p.other_namespace = theirs != ours;
  if (p.other_namespace || ours == 0) return p;
  const auto process = look_at_process(static_cast<pid_t>(p.pid));
  if (process && process->start_time == slot.start_time.load(memory_order_relaxed)) {
    p.stopped = process->state == 'T' || process->state == 't';
  }
  return p;
}

void look_at_participants(const participant_slot* slots, int fd, region_info& found) {
  const std::uint64_t ours = pid_namespace();
  found.participants.clear();
  found.waiting = 0;
  for (std::size_t i = 0; i < participant_limit; ++i) {
    if (auto p = look_at_slot(slots[i], i, fd, ours)) {
      found.waiting += p->waiting;
      found.participants.push_back(std::move(*p));
    }
  }
}

bool knows(const region_info& r, participant_id id) {
  return id == 0 || std::any_of(r.participants.begin(), r.participants.end(),
                                [id](const auto& p) { return p.id == id; });
}

void look_into(int fd, region_info& found) {
  const mapping memory{fd, payload_at, mapping::to_look};
  const std::byte* const at = memory.at();
  const lock_block& block = *std::launder(reinterpret_cast<const lock_block*>(at + lock_at));
  const auto* const slots = reinterpret_cast<const participant_slot*>(at + participants_at);
  found.open = byte_lock::is_taken(fd, byte_lock::presence);
  // A holder that unlocks and leaves amid this is no dead one: then the lock says something else afterwards.
  for (int attempts = 0; attempts < 3; ++attempts) {
    look_at_lock(block, found);
    if (found.open) look_at_participants(slots, fd, found);
    if (knows(found, found.holder) && knows(found, found.keeper)) return;
    const region_info before = found;
    look_at_lock(block, found);
    if (found.holder == before.holder && found.keeper == before.keeper) return;
  }
}

std::optional<region_info> look_at(const open_directory& directory, const std::string& name) {
  region_info found;
  found.name = name;
  found.path = directory.path + "/" + name;
  const std::string subject = subject_of(directory, name);
  try {
    const descriptor file = open_entry(directory, name, to_look, subject);
    if (!file) return std::nullopt;
    const struct stat s = status_of(file.get(), subject);
    if (s.st_nlink == 0) return std::nullopt;
    check_file(s, 1, subject);
    const header h = read_header(file.get(), s, subject);
    found.state = judge(h, static_cast<std::uint64_t>(s.st_size), nullptr, subject);
    if (found.state == verdict::unfinished) return found;
    found.type = type_of(h);
    found.size = h.type_size;
    found.alignment = h.type_alignment;
    found.total_size = h.total_size;
    found.created_ns = h.created;
    found.first_token = h.first_token;
    look_into(file.get(), found);
  } catch (const error& e) {
    found.refused = e.what();
  }
  return found;
}

// Whether it is ours to remove: a region, also one of another version, or that was cut.
bool is_region(int fd) {
  header h{};
  return ::pread(fd, &h, sizeof h, 0) == sizeof h && (has_magic(h) || is_zero(h));
}

}  // namespace

std::vector<region_info> list_regions() {
  const open_directory directory = find_runtime_directory();
  const std::unique_ptr<DIR, int (*)(DIR*)> entries = read_entries(directory.file.get());
  std::vector<region_info> all;
  while (const dirent* const entry = ::readdir(entries.get())) {
    const std::string name = entry->d_name;
    struct stat s{};
    if (!place::is_name(name)) continue;
    if (name.ends_with(".lock") &&
        ::fstatat(directory.file.get(), name.c_str(), &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(s.st_mode) &&
        (s.st_size == 0 || s.st_size == sizeof(std::uint64_t))) {  // a token
      continue;
    }
    if (auto found = look_at(directory, name)) all.push_back(std::move(*found));
  }
  std::sort(all.begin(), all.end(),
            [](const region_info& a, const region_info& b) { return a.name < b.name; });
  return all;
}

std::optional<region_info> inspect_region(const std::string& name) {
  return look_at(find_runtime_directory(), place{name}.name());
}

removal remove_region(const std::string& name) {
  const std::string checked = place{name}.name();
  const std::lock_guard hold{live->guard};  // no forked child may keep the byte
  const open_directory directory = find_runtime_directory();
  const std::string subject = subject_of(directory, checked);
  const descriptor file =
      open_entry(directory, checked, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, subject);
  if (!file) return removal::absent;
  const struct stat s = status_of(file.get(), subject);
  if (!S_ISREG(s.st_mode) || s.st_uid != ::geteuid() || !is_region(file.get())) {
    throw error{subject + " is not a region of mortise, and is left as it is"};
  }
  // Whoever opens it has the byte before it looks whether the name still stands for this file: it is seen here, or sees
  // that the name is gone.
  if (!byte_lock::try_take_exclusive(file.get(), byte_lock::presence)) return removal::in_use;
  if (!is_called(directory.file.get(), checked, s)) return removal::absent;
  if (::unlinkat(directory.file.get(), checked.c_str(), 0) != 0) throw_errno("cannot remove " + subject);
  return removal::removed;
}

}  // namespace mortise::inline MORTISE_ABI::shm
