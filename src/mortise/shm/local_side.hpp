#pragma once

#include <cstdint>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/outcome.hpp>
#include <mortise/shm/keeper.hpp>
#include <mortise/shm/outer_lock.hpp>
#include <mortise/shm/region.hpp>
#include <mortise/wait/budget.hpp>
#include <mortise/wait/context.hpp>
#include <mortise/wait/limit.hpp>
#include <mortise/wait/subject.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// What one process has of a shm::mutex: the region, the way of its threads to the lock and that of its tasks, and how the present tenure was
// taken, which its holder alone writes.
class local_side {
 public:
  MORTISE_API local_side(const place& where, const content& what, void (*make)(void*, void*), void* argument);
  local_side(const local_side&) = delete;
  local_side& operator=(const local_side&) = delete;

  // Gives all back; but while somebody here holds the lock or waits for it, all stays as it is until the process ends.
  MORTISE_API static void close(local_side* side) noexcept;

  region& where() noexcept { return m_region; }
  door& the_door() noexcept { return m_keeper.the_door(); }

  // A thread that is nothing but a thread takes the lock itself, everyone else goes by the keeper's door.
  bool try_take_fast() noexcept {
    const participant_id me = m_region.members().me_if_joined();
    if (me == 0 || !wait::on_plain_thread() || !m_outer.try_take_fast()) return false;
    begin(by_this_thread(), me);
    return true;
  }
  MORTISE_API bool try_take_slow();
  MORTISE_API bool take_slow(nanos deadline);
  MORTISE_API outcome take_as_task(const wait::bound& until);

  void give_back() noexcept {
    if (m_how.load(memory_order_relaxed) != by_this_thread()) [[unlikely]]
      return give_back_slow();
    m_how.store(nobody, memory_order_relaxed);  // O8
    m_outer.end_section();
    m_outer.release();
  }

  std::uint64_t token() const noexcept { return m_tenure.token; }
  bool is_held() const noexcept { return m_how.load(memory_order_relaxed) != nobody; }  // O8
  bool owner_died() const noexcept { return m_tenure.owner_died; }

  // For who waits by himself at the door: to be counted before, and to begin a section when he has it.
  void arrive() { m_keeper.arrive(); }
  void begin_as_task() noexcept { begin(task, m_region.members().me_if_joined()); }
  outcome how() const noexcept { return m_tenure.owner_died ? outcome::owner_died : outcome::acquired; }

  // In the child of a fork: what the parent holds is not this process', and the guards that were copied unlock nothing.
  void in_child() noexcept;

  local_side* next = nullptr;  // in the list of all, for forks
  local_side* prev = nullptr;

 private:
  // Else: the thread that took it. A fiber unlocks what it took, a task's may be unlocked by whoever comes.
  static constexpr std::uintptr_t nobody = 0, task = 1, fiber = 2;
  // The address of a thread-local, which no other living thread has: pthread_self() is a call, and between two read-modify-writes, which
  // wait for all that comes before them, the two of them took 3 ns of 20 (EPYC, November 2026, processes_uncontended).
  static std::uintptr_t by_this_thread() noexcept { return reinterpret_cast<std::uintptr_t>(&wait::budget); }

  void begin(std::uintptr_t how, participant_id me) noexcept {
    m_how.store(how, memory_order_relaxed);  // O8
    m_tenure = m_outer.begin_section(me);
  }
  MORTISE_API void give_back_slow() noexcept;
  // For who looks on at those who wait.
  wait::subject subject(bool has_deadline) const noexcept { return {this, "shm mutex", has_deadline, &tell}; }
  MORTISE_API static void tell(const void* side, wait::particulars& to) noexcept;
  bool is_in_use() const noexcept;

  region m_region;
  outer_lock m_outer;
  atomic<std::uintptr_t> m_how{nobody};
  outer_lock::section m_tenure{};
  bool m_inherited = false;            // the parent held it when this process was forked off
  std::uintptr_t m_heir{nobody};       // the thread that has the guard of it, if a thread took it
  atomic<std::uint32_t> m_threads{0};  // that wait by themselves
  keeper m_keeper;
};

}  // namespace mortise::inline MORTISE_ABI::shm
