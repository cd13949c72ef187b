#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include <mortise/base/atomic.hpp>
#include <mortise/base/cache_line.hpp>
#include <mortise/task/counter.hpp>

namespace app {

// The seed's map, with what it takes to see that the lock in front of it holds.
//
// Everything is a relaxed atomic that is loaded and stored, never read-modified-written: with the lock that
// costs what plain variables cost, and without it (the control) the race is defined and shows. A section
// notes who is inside and looks whether it is still itself when it leaves. A value is kept twice, the second
// time mixed with its key, and each write takes the next number. Outside the section a writer adds up what it
// changed, as the fingerprint it left less the one it found: over all writes that telescopes to the
// fingerprints of the map at the end. A torn pair, a lost number, a lost write or a value that nobody wrote
// is a mismatch.
class seed_map {
 public:
  explicit seed_map(std::uint64_t keys) : m_cells(keys) {}

  // One section. `in_between` runs in the middle of it.
  template <class InBetween>
  int read(std::uint64_t party, std::uint64_t key, InBetween&& in_between) {
    enter(party);
    const cell& c = m_cells[key];
    const std::uint64_t value = c.value.load(relaxed);
    in_between();
    if (value != unmixed(c.mixed.load(relaxed), key)) m_torn.add();
    leave(party);
    return value == nothing ? 0 : static_cast<int>(value);
  }

  // One section of a reader among others: no writer is inside, none was, and none comes.
  int read_shared(std::uint64_t key) {
    const std::uint64_t before = m_last_write.load(relaxed);
    const bool alone = m_inside.load(relaxed) == nobody;
    const cell& c = m_cells[key];
    const std::uint64_t value = c.value.load(relaxed);
    if (value != unmixed(c.mixed.load(relaxed), key)) m_torn.add();
    if (!alone || m_inside.load(relaxed) != nobody || m_last_write.load(relaxed) != before) m_overlaps.add();
    return value == nothing ? 0 : static_cast<int>(value);
  }

  template <class InBetween>
  void write(std::uint64_t party, std::uint64_t key, std::uint64_t value, InBetween&& in_between) {
    enter(party);
    cell& c = m_cells[key];
    const std::uint64_t number = m_last_write.load(relaxed) + 1;
    const std::uint64_t found = fingerprint(key, c.value.load(relaxed), c.number.load(relaxed));
    c.value.store(value, relaxed);
    in_between();
    c.mixed.store(mixed(value, key), relaxed);
    c.number.store(number, relaxed);
    m_last_write.store(number, relaxed);
    leave(party);
    m_writes.add();
    m_changes.add(fingerprint(key, value, number) - found);
  }

  // Who is inside: noted at the beginning of a section and looked at at its end.
  void enter(std::uint64_t party) {
    if (m_inside.load(relaxed) != nobody) m_overlaps.add();
    m_inside.store(party, relaxed);
  }
  void leave(std::uint64_t party) {
    if (m_inside.load(relaxed) != party) m_overlaps.add();
    m_inside.store(nobody, relaxed);
  }

  // After all tasks have ended.
  std::uint64_t overlaps() const { return m_overlaps.value(); }
  std::uint64_t mismatches() const {
    std::uint64_t n = m_torn.value();
    std::uint64_t last = 0, fingerprints = 0;
    for (std::uint64_t key = 0; key < m_cells.size(); ++key) {
      const cell& c = m_cells[key];
      n += c.value.load(relaxed) != unmixed(c.mixed.load(relaxed), key);
      last = std::max(last, c.number.load(relaxed));
      fingerprints += fingerprint(key, c.value.load(relaxed), c.number.load(relaxed));
    }
    n += fingerprints != m_changes.value();  // the map is not what the writes add up to
    const std::uint64_t writes = m_writes.value(), counted = m_last_write.load(relaxed);
    n += writes > counted ? writes - counted
                          : counted - writes;  // numbers taken twice: a write that another overwrote
    n += last != counted;                      // the last write is not in the map
    return n;
  }

  // The keys that were written, as the seed prints them.
  std::map<std::uint64_t, std::uint64_t> state() const {
    std::map<std::uint64_t, std::uint64_t> s;
    for (std::uint64_t key = 0; key < m_cells.size(); ++key) {
      if (const std::uint64_t v = m_cells[key].value.load(relaxed); v != nothing) s[key] = v;
    }
    return s;
  }

  // Tests plant a torn value, and one that looks whole and that nobody wrote.
  void tear(std::uint64_t key) { m_cells[key].value.store(m_cells[key].value.load(relaxed) ^ 1, relaxed); }
  void forge(std::uint64_t key, std::uint64_t value) {
    m_cells[key].value.store(value, relaxed);
    m_cells[key].mixed.store(mixed(value, key), relaxed);
  }

 private:
  static constexpr auto relaxed =
      mortise::memory_order_relaxed;  // the lock orders it all; without one, nothing should
  static constexpr std::uint64_t nothing = ~std::uint64_t{0};
  static constexpr std::uint64_t mixed(std::uint64_t value, std::uint64_t key) {
    return value ^ (key + 1) * 0x9e3779b97f4a7c15;
  }
  static constexpr std::uint64_t unmixed(std::uint64_t m, std::uint64_t key) {
    return m == nothing ? nothing : mixed(m, key);
  }
  // 0 for a key that was never written. Not linear, so that two wrongs do not make a right.
  static constexpr std::uint64_t fingerprint(std::uint64_t key, std::uint64_t value, std::uint64_t number) {
    if (number == 0) return 0;
    const std::uint64_t x = (value ^ number << 32 ^ key * 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
    return x ^ x >> 29;
  }

  struct cell {
    mortise::atomic<std::uint64_t> value{nothing};
    mortise::atomic<std::uint64_t> mixed{nothing};
    mortise::atomic<std::uint64_t> number{0};
  };
  static constexpr std::uint64_t nobody = ~std::uint64_t{0};

  alignas(mortise::cache_line) mortise::atomic<std::uint64_t> m_inside{nobody};
  mortise::atomic<std::uint64_t> m_last_write{0};
  std::vector<cell> m_cells;
  mortise::counter m_writes;
  mortise::counter m_changes;
  mortise::counter m_overlaps;
  mortise::counter m_torn;
};

}  // namespace app
