#pragma once

#include <cstdint>
#include <stop_token>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/shm/door.hpp>
#include <mortise/shm/outer_lock.hpp>
#include <mortise/shm/participants.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// One thread of a process that takes the lock of a region for the tasks of this process and opens the door to them: a robust mutex belongs
// to a thread, and a fiber or coroutine goes from thread to thread. It starts with the first task. The algorithm is explained in keeper.cpp.
class keeper {
 public:
  keeper(outer_lock& outer, participants& members, wait::subject s) noexcept
      : m_outer{outer}, m_members{members}, m_door{s} {}
  keeper(const keeper&) = delete;
  keeper& operator=(const keeper&) = delete;
  MORTISE_API ~keeper();  // requires: no task is counted

  // A task is going to lock the door. Throws std::system_error where the thread cannot be started, shm::error where there is no room
  // among the participants; the task is not counted then.
  void arrive() {
    if (!m_door.arrive()) [[unlikely]]
      start();
  }
  // For a task that has arrived: takes the door if the keeper has the lock, or gets it at once. Blocks: until the keeper has tried.
  MORTISE_API bool try_lock();

  door& the_door() noexcept { return m_door; }

  // How many have arrived and not departed. For who looks.
  std::uint32_t tasks() const noexcept { return m_door.m_word.load(memory_order_relaxed) & door::count; }

  // In the child of a fork, which has neither the thread nor any of those who waited.
  void in_child() noexcept;

 private:
  enum class state : std::uint8_t { closed, waiting, open, closing };
  struct ask {
    std::stop_source no;
    ask* next = nullptr;
  };

  MORTISE_API void start();
  void serve() noexcept;
  bool somebody_came() noexcept;
  bool get_lock() noexcept;
  bool stay_open() noexcept;
  bool is_wanted() const noexcept;
  bool waits_on() const noexcept;
  void become(state s) noexcept;

  outer_lock& m_outer;
  participants& m_members;
  door m_door;
  os_thread m_thread;
  std::uint32_t m_number = 0;  // of its thread; written before the door is ever open
  mutable os_mutex m_guard;    // of what is below, and of starting
  state m_state = state::closed;
  ask* m_asks = nullptr;
  atomic<std::uint32_t> m_triers{0};  // tasks that only try: nobody waits for them
};

}  // namespace mortise::inline MORTISE_ABI::shm
