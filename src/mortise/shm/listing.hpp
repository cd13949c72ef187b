#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/shm/header.hpp>
#include <mortise/shm/participants.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// For tools: what there is, by whom it is used, and its removal. Looking takes no lock and changes nothing, so that what it tells may be
// old as soon as it is told; with processes that come and go amid it, parts of it may be of different moments.
//
// Promises
// - SR9 What is listed as alive was so when it was looked at; a process that has the number of one who is gone is not taken for it.
// - SR10 remove() removes no region that a process has open, or is about to have: such a process keeps it, or makes a new one. What is no region
//   stays as it is.

struct participant_info {
  participant_id id;
  std::uint32_t pid;
  std::string command;
  std::uint32_t waiting;        // how many of it wait for the lock
  std::optional<bool> stopped;  // by a signal or a debugger; nothing: it cannot be seen from here
  bool other_namespace;         // its pid counts in another pid namespace than ours
};

struct region_info {
  std::string name;
  std::string path;
  std::string refused;  // empty, or the line that who opens it gets; then there is nothing more
  verdict state = verdict::good;
  std::string type;
  std::uint64_t size = 0, alignment = 0, total_size = 0;
  std::uint64_t created_ns = 0;  // CLOCK_REALTIME
  std::uint64_t first_token = 0, token = 0;
  participant_id holder = 0;                   // whose section is running; 0: nobody's
  participant_id keeper = 0;                   // whose keeper holds the lock, for its tasks; 0: nobody's
  bool owner_died = false;                     // the next holder will be told that one died
  bool open = false;                           // somebody has it open, who may not have joined yet
  std::uint64_t waiting = 0;                   // of all participants
  std::vector<participant_info> participants;  // alive ones, by slot
};

// Everything in runtime_directory() whose name could be a region's, by name, but for the files NAME.lock of `mortise lock`, empty or with a token.
// Throws: error, system_error.
MORTISE_API std::vector<region_info> list_regions();

// Nothing: there is none. Throws: error (the name, the directory), system_error.
MORTISE_API std::optional<region_info> inspect_region(const std::string& name);

enum class removal { removed, in_use, absent };

// Throws: error, also if there is something else under this name; system_error.
MORTISE_API removal remove_region(const std::string& name);

}  // namespace mortise::inline MORTISE_ABI::shm
