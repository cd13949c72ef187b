#pragma once

// What must come out even: each cell is a mutex and plain data behind it, and its books are kept twice.
//
//   m_sections  plain, counted up by each holder; m_pair is its complement, written at the other end of the section:
//               who enters and finds that they do not fit has met another holder, or an update that was not published
//   m_expected  what the parties say they did, added up apart from it

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include <mortise/lock/mutex.hpp>

#include "station.hpp"
#include "tally.hpp"

namespace soak {

class ledger;

class alignas(128) cell {
 public:
  cell() noexcept { make(); }
  ~cell() { std::destroy_at(&lock()); }
  cell(const cell&) = delete;
  cell& operator=(const cell&) = delete;

  mortise::mutex& lock() noexcept { return *std::launder(reinterpret_cast<mortise::mutex*>(m_room)); }

  // Requires: the caller holds the lock. Between these the section is open, also across a sleep.
  void enter(const station& who) noexcept {
    const station* const other = m_holder.load(std::memory_order_relaxed);
    if (other != nullptr || m_pair != ~m_sections) [[unlikely]]
      torn(who, other);
    m_holder.store(&who, std::memory_order_relaxed);
    ++m_sections;
  }
  void leave() noexcept {
    m_pair = ~m_sections;
    m_holder.store(nullptr, std::memory_order_relaxed);
  }
  // `n` sections were made. Any time.
  void expect(std::uint64_t n) noexcept { m_expected.fetch_add(n, std::memory_order_relaxed); }

  // By the last holder, after its unlock: the mutex goes, its bytes are poisoned, looked at again, and a new one is
  // made of them. Whoever still touched the old one breaks the poison (and is named by AddressSanitizer).
  void renew() noexcept;

  // The planted bug: an update without the lock.
  void update_without_the_lock() noexcept;

  // For the watchdog.
  bool there() const noexcept { return m_there.load(std::memory_order_relaxed); }
  const station* holder() const noexcept { return m_holder.load(std::memory_order_relaxed); }

 private:
  friend class ledger;
  void make() noexcept {
    ::new (m_room) mortise::mutex;
    m_there.store(true, std::memory_order_relaxed);
  }
  [[gnu::noinline, gnu::cold]] void torn(const station& who, const station* other) noexcept;

  alignas(mortise::mutex) std::byte m_room[sizeof(mortise::mutex)];
  std::uint64_t m_sections = 0;
  std::uint64_t m_pair = ~std::uint64_t{0};
  std::atomic<const station*> m_holder{nullptr};
  std::atomic<bool> m_there{false};
  alignas(64) std::atomic<std::uint64_t> m_expected{0};
};

class ledger {
 public:
  static constexpr unsigned cells = 128;
  cell& operator[](unsigned i) noexcept { return m_cells[i]; }
  unsigned number_of(const cell& c) const noexcept { return static_cast<unsigned>(&c - m_cells.data()); }

  // Between rounds, when all parties have ended: every cell is even, free and without waiters, and all of them
  // together are what the parties counted.
  void balance(const totals& counted);

  // Something is wrong: a line on standard error at once, and the soak fails at its end.
  [[gnu::format(printf, 2, 3)]] void fail(const char* format, ...) noexcept;
  unsigned failures() const noexcept { return m_failures.load(std::memory_order_relaxed); }

 private:
  std::vector<cell> m_cells{cells};
  std::atomic<unsigned> m_failures{0};
};

ledger& the_ledger();

// What a party did, cell by cell; booked when it ends.
class books {
 public:
  explicit books(totals& all) : m_all{all}, m_done(ledger::cells) {}
  ~books() {
    for (unsigned i = 0; i < ledger::cells; ++i) {
      if (m_done[i] != 0) the_ledger()[i].expect(m_done[i]);
    }
    m_all.add(counts);
  }
  books(const books&) = delete;
  books& operator=(const books&) = delete;

  void acquired(unsigned cell, what how) noexcept {
    ++m_done[cell];
    ++counts[how];
  }
  tally counts;

 private:
  totals& m_all;
  std::vector<std::uint64_t> m_done;
};

}  // namespace soak
