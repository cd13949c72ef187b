#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/cache_line.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/process_global.hpp>
#include <mortise/shm/descriptor.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// One that takes part in a region: slot + 1 in the lower 11 bits, above them the slot's generation. 0: nobody. Of the ids of one
// slot that lie 2^21 participants apart two are equal.
using participant_id = std::uint32_t;

constexpr participant_id participant_in(std::size_t slot, std::uint32_t generation) noexcept {
  return static_cast<participant_id>(slot + 1) | generation << 11;
}

// In shared memory. Written by the participant, who holds the byte lock of the slot, read by whoever looks.
struct alignas(cache_line) participant_slot {
  atomic<std::uint32_t> generation;  // only ever counted up; wraps within 21 bits
  atomic<std::uint32_t> pid;         // 0: left in order
  atomic<std::uint64_t> start_time;  // process.hpp
  atomic<std::uint64_t> pid_namespace;
  atomic<std::uint32_t> waiting;  // how many of it wait
  atomic<std::uint64_t> command[2];
};
static_assert(sizeof(participant_slot) == 64);

// The participants of a region as one of them sees them: this handle, in this process.
//
// Promises
// - SR6 alive() is true of a participant from before its id is known until its process is gone, by whatever way (exit,
//   kill -9, exec), or its handle destroyed; then it is false for ever, also when the process' number or the slot is given again.
// - SR7 A forked child is no participant until its first use, and then one of its own: it keeps its parent neither alive nor
//   known as alive.
// Does not promise anything where a process is made by a bare clone(), without handlers of fork, or where other code closes all
// descriptors (closefrom): a participant then stays known or is forgotten.
class participants {
 public:
  participants() = default;
  participants(const participants&) = delete;
  participants& operator=(const participants&) = delete;
  MORTISE_API ~participants();

  // This process' id; joins on first use, and again in a forked child.
  // Throws: error if the region has 1,024 participants already, or living ones of another PID namespace; system_error, also in a child that could not have descriptors
  // of its own when it was forked. Cost: one load; when it joins, some 10 us.
  participant_id me() {
    const participant_id known = me_if_joined();
    return known != 0 ? known : join();
  }

  // 0: has not joined.
  // relaxed: a thread that finds it needs nothing that joining wrote; who reads the slots goes through the kernel's lock
  participant_id me_if_joined() const noexcept { return m_me.load(memory_order_relaxed); }

  // Cost: one system call.
  MORTISE_API bool alive(participant_id id) const noexcept;

  // The number of its process, for who looks: it may be gone by now, and its slot another's. 0: there is no such participant.
  MORTISE_API std::uint32_t process_of(participant_id id) const noexcept;

  // After a holder's death: other threads of its process may go on for microseconds after the one that held is gone. Returns
  // at once if it is this participant. Blocks: the OS thread, in sleeps of 20 us to 1 ms.
  MORTISE_API void wait_until_gone(participant_id id, nanos deadline = never) const noexcept;

  // So many more of this participant wait now, for who looks. Nothing before it has joined.
  MORTISE_API void waits(int change) noexcept;

  // The region's description, which carries the byte locks: it is not to be passed on. -1 in a child without descriptors to spare.
  int file() const noexcept { return m_file.get(); }

 private:
  friend class region;
  friend struct live_participants;

  // Requires: the guard of live_participants is held. `file` holds the presence byte, shared.
  void begin(descriptor file, participant_slot* slots, std::string subject);
  MORTISE_API participant_id join();
  participant_id join_locked();
  participant_id try_slot(std::size_t slot);
  void refuse_strange_numbers(std::size_t my_slot);
  void leave(std::size_t slot) noexcept;  // its entry, not its byte
  void in_child() noexcept;

  atomic<participant_id> m_me{0};
  descriptor m_file;
  int m_lost = 0;  // the error that left a forked child without a description
  participant_slot* m_slots = nullptr;
  std::string m_subject;
  participants* m_next = nullptr;  // of live_participants
};

// All of this process. The guard is held over forks, and while a region is opened or left: no child gets a description
// that is not known here.
struct live_participants {
  os_mutex guard;
  participants* first = nullptr;
  void in_child() noexcept;
};
extern process_global<live_participants> live;

}  // namespace mortise::inline MORTISE_ABI::shm
