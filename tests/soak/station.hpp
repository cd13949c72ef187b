#pragma once

// Where a party says what it is about to do, so that the watchdog can tell what a program was at when it hung.

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include <support/foreign.hpp>

namespace soak {

enum class kind : std::uint8_t { nobody, conductor, thread, fiber, task, foreign };
enum class act : std::uint8_t {
  starting,
  lock,
  try_lock,
  try_lock_for,
  try_lock_until,
  async_lock,
  sleep_while_holding,
  stoppable_sleep,
  sleep,
  join_a_scope,
  destroy_a_frame,
  renew_a_mutex,
  wait_for_a_generation,
  change_threads,
  let_a_round_run,
  join_threads,
  join_tasks,
  join_detached,
  close_the_runtime
};

const char* to_string(kind k) noexcept;
const char* to_string(act a) noexcept;

inline constexpr unsigned no_cell = 0xFFFF;

class alignas(128) station {
 public:
  // One relaxed store: parties do this before every operation, the fastest ones too.
  void announce(act a, unsigned cell = no_cell) noexcept {
    m_said.store(++m_turn << 24 | std::uint64_t{cell} << 8 | static_cast<unsigned>(a),
                 std::memory_order_relaxed);
  }
  // The waiter's address in a coroutine's frame, by which the watchdog knows whose it is.
  void waits_in(const void* node) noexcept { m_node.store(node, std::memory_order_relaxed); }
  // The waiter in a frame that this party made, to destroy it.
  void made(const void* node) noexcept { m_victim.store(node, std::memory_order_relaxed); }

  // For the watchdog; nothing is read on the strength of these, so all are relaxed.
  struct said {
    std::uint64_t all;
    std::uint64_t turn() const noexcept { return all >> 24; }
    unsigned cell() const noexcept { return static_cast<unsigned>(all >> 8 & 0xFFFF); }
    act what() const noexcept { return static_cast<act>(all & 0xFF); }
  };
  said last() const noexcept { return {m_said.load(std::memory_order_relaxed)}; }
  kind who() const noexcept { return m_kind.load(std::memory_order_relaxed); }
  unsigned long id() const noexcept { return m_id.load(std::memory_order_relaxed); }
  const void* parker() const noexcept { return m_parker.load(std::memory_order_relaxed); }
  const void* node() const noexcept { return m_node.load(std::memory_order_relaxed); }
  const void* victim() const noexcept { return m_victim.load(std::memory_order_relaxed); }

  // Runs what this party's own frames post. Lives as long as the program: an unlock may post to it late.
  foreign::manual_executor& jobs() noexcept { return m_jobs; }

 private:
  friend class board;
  void take(kind k) noexcept;

  std::uint64_t m_turn = 0;
  std::atomic<std::uint64_t> m_said{0};
  std::atomic<kind> m_kind{kind::nobody};
  std::atomic<unsigned long> m_id{0};
  std::atomic<const void*> m_parker{nullptr}, m_node{nullptr}, m_victim{nullptr};
  foreign::manual_executor m_jobs;
};

// All stations. Parties come and go; places are reused.
class board {
 public:
  static constexpr unsigned size = 2048;
  board();
  station& take(kind k);
  void give_back(station& s) noexcept;
  station& operator[](unsigned i) noexcept { return m_all[i]; }
  unsigned number_of(const station& s) const noexcept { return static_cast<unsigned>(&s - m_all.data()); }
  void run_late_jobs();  // between rounds, when nobody is at a station

 private:
  std::array<station, size> m_all;
  std::mutex m_guard;  // held for a few instructions; fibers may block on that
  std::vector<unsigned> m_free;
};

board& the_board();

// A party's place on the board, as long as it lives.
class seat {
 public:
  explicit seat(kind k) : m_station{the_board().take(k)} {}
  ~seat() { the_board().give_back(m_station); }
  seat(const seat&) = delete;
  seat& operator=(const seat&) = delete;
  station& operator*() const noexcept { return m_station; }

 private:
  station& m_station;
};

}  // namespace soak
