#include <mortise/shm/participants.hpp>

#include <algorithm>
#include <cstring>
#include <mutex>

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <mortise/base/fork.hpp>
#include <mortise/shm/byte_lock.hpp>
#include <mortise/shm/error.hpp>
#include <mortise/shm/header.hpp>
#include <mortise/shm/process.hpp>

namespace mortise::inline MORTISE_ABI::shm {

constinit process_global<live_participants> live;

namespace {

constexpr unsigned slot_bits = 11;
constexpr std::uint32_t generations = 1u << (32 - slot_bits);
static_assert(participant_limit < 1u << slot_bits && participant_in(0, 1) == (1 | 1u << slot_bits) &&
              sizeof(participant_slot) == participant_size);

// False: an id that nobody was ever given; a peer could have written it.
bool slot_of(participant_id id, std::size_t& slot) noexcept {
  slot = (id & ((1u << slot_bits) - 1)) - std::size_t{1};
  return slot < participant_limit;
}

}  // namespace

participants::~participants() {
  if (m_slots == nullptr) return;
  const std::lock_guard hold{live->guard};
  for (participants** p = &live->first; *p != nullptr; p = &(*p)->m_next) {
    if (*p != this) continue;
    *p = m_next;
    break;
  }
  std::size_t slot;
  if (slot_of(me_if_joined(), slot)) leave(slot);
  m_file.reset(-1);  // under the guard: a child that is forked meanwhile would keep the locks
}

void participants::begin(descriptor file, participant_slot* slots, std::string subject) {
  hold_over_forks<live>();
  m_file = std::move(file);
  m_slots = slots;
  m_subject = std::move(subject);
  m_next = live->first;
  live->first = this;
  join_locked();
}

participant_id participants::join() {
  const std::lock_guard hold{live->guard};
  const participant_id known = me_if_joined();
  return known != 0 ? known : join_locked();
}

participant_id participants::join_locked() {
  if (!m_file) {
    throw std::system_error{m_lost, std::generic_category(),
                            m_subject + " was lost in this forked child, which had no descriptor to spare"};
  }
  // First those that look free: a system call for each one that is not would be many.
  // relaxed: a hint
  for (const bool looks_free : {true, false}) {
    for (std::size_t slot = 0; slot < participant_limit; ++slot) {
      if ((m_slots[slot].pid.load(memory_order_relaxed) == 0) != looks_free) continue;
      const participant_id id = try_slot(slot);
      if (id == 0) continue;
      refuse_strange_numbers(slot);
      m_me.store(id, memory_order_relaxed);
      return id;
    }
  }
  throw error{m_subject + " has " + std::to_string(participant_limit) +
              " participants, and cannot have more"};
}

// A robust mutex knows its holder by the number that its thread has in its own PID namespace. When one who only waits for it dies in
// another namespace, and has the same number there, the kernel takes it for the holder and frees the lock. So all who live here
// have their numbers from one namespace.
void participants::refuse_strange_numbers(std::size_t my_slot) {
  // seq_cst: whoever joins writes its own pid and then reads the others'. Of two that do so at once one at least sees the other, and leaves.
  const std::uint64_t here = m_slots[my_slot].pid_namespace.load(memory_order_relaxed);
  for (std::size_t slot = 0; slot < participant_limit; ++slot) {
    if (slot == my_slot || m_slots[slot].pid.load(memory_order_seq_cst) == 0) continue;
    const std::uint64_t there = m_slots[slot].pid_namespace.load(memory_order_relaxed);
    if (here == there || here == 0 || there == 0) continue;
    if (!byte_lock::is_taken(m_file.get(), byte_lock::of_slot(slot))) continue;  // it is gone
    leave(my_slot);
    byte_lock::release(m_file.get(), byte_lock::of_slot(my_slot));
    throw error{m_subject + " is in use in PID namespace " + std::to_string(there) +
                ", and this process is in " + std::to_string(here) +
                ": processes that use it at a time must be of one"};
  }
}

// relaxed: only for who looks; the kernel's lock says who is there
void participants::leave(std::size_t slot) noexcept {
  m_slots[slot].waiting.store(0, memory_order_relaxed);
  m_slots[slot].pid.store(0, memory_order_relaxed);
}

participant_id participants::try_slot(std::size_t slot) {
  if (!byte_lock::try_take_exclusive(m_file.get(), byte_lock::of_slot(slot))) return 0;
  participant_slot& mine = m_slots[slot];
  const pid_t pid = ::getpid();
  const process_look self = look_at_process(pid).value_or(process_look{});
  std::uint64_t command[2];
  std::memcpy(command, self.command, sizeof command);
  // release: who sees the new generation knows the old participant for gone, see alive(). What it sees of the rest is for people
  // to look at, and relaxed: it may be of the one before.
  std::uint32_t next = (mine.generation.load(memory_order_relaxed) + 1) % generations;
  if (next == 0) next = 1;
  mine.waiting.store(0, memory_order_relaxed);
  mine.start_time.store(self.start_time, memory_order_relaxed);
  mine.pid_namespace.store(pid_namespace(), memory_order_relaxed);
  mine.command[0].store(command[0], memory_order_relaxed);
  mine.command[1].store(command[1], memory_order_relaxed);
  mine.pid.store(static_cast<std::uint32_t>(pid), memory_order_seq_cst);  // refuse_strange_numbers
  mine.generation.store(next, memory_order_release);
  return participant_in(slot, next);
}

std::uint32_t participants::process_of(participant_id id) const noexcept {
  std::size_t slot;
  if (!slot_of(id, slot)) return 0;
  const participant_slot& s = m_slots[slot];
  return s.generation.load(memory_order_acquire) == id >> slot_bits ? s.pid.load(memory_order_relaxed) : 0;
}

bool participants::alive(participant_id id) const noexcept {
  std::size_t slot;
  if (!slot_of(id, slot)) return false;
  if (id == me_if_joined()) return true;  // one's own locks do not show
  // acquire: with try_slot's release. A participant has the byte from before its generation is there until it is gone, so another
  // generation is proof that it is; the same one leaves it to the byte, which may be a successor's already, for a moment.
  if (m_slots[slot].generation.load(memory_order_acquire) != id >> slot_bits) return false;
  if (!m_file) return true;  // this process cannot know
  return byte_lock::is_taken(m_file.get(), byte_lock::of_slot(slot));
}

void participants::wait_until_gone(participant_id id, nanos deadline) const noexcept {
  long pause_ns = 20'000;
  while (id != me_if_joined() && alive(id)) {
    const nanos left = deadline == never ? never : deadline - now_ns();
    if (left <= 0) return;
    const timespec pause{0, static_cast<long>(std::min<nanos>(left, pause_ns))};
    ::nanosleep(&pause, nullptr);
    pause_ns = std::min(2 * pause_ns, 1'000'000l);
  }
}

void participants::waits(int change) noexcept {
  std::size_t slot;
  if (!slot_of(me_if_joined(), slot)) return;
  m_slots[slot].waiting.fetch_add(static_cast<std::uint32_t>(change),
                                  memory_order_relaxed);  // a count, and no order
}

// In a forked child: the parent's description has the parent's locks, and would keep them when the parent is gone.
void participants::in_child() noexcept {
  m_me.store(0, memory_order_relaxed);  // the only thread
  if (!m_file) return;
  const int own = reopen(m_file.get());
  // The name stays protected from removal all the while: the old description has the byte until the new one does.
  struct flock present = byte_lock::request(F_RDLCK, byte_lock::presence, 1);
  if (own >= 0 && ::fcntl(own, F_OFD_SETLK, &present) == 0 && ::dup3(own, m_file.get(), O_CLOEXEC) >= 0) {
    (void)::flock(m_file.get(), LOCK_SH | LOCK_NB);  // region_file.cpp
  } else {
    m_lost = errno;
    m_file.reset(-1);
  }
  if (own >= 0) ::close(own);
}

void live_participants::in_child() noexcept {
  for (participants* p = first; p != nullptr; p = p->m_next) p->in_child();
}

}  // namespace mortise::inline MORTISE_ABI::shm
