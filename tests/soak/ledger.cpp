#include "ledger.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include <mortise/base/sanitizers.hpp>
#include <mortise/task/sleep.hpp>
#include <support/lock_probe.hpp>

#if MORTISE_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace soak {

void cell::torn(const station& who, const station* other) noexcept {
  ledger& all = the_ledger();
  const unsigned n = all.number_of(*this);
  if (other != nullptr) {
    all.fail("overlap: mutex %u was taken by %s %lu while %s %lu held it", n, to_string(who.who()), who.id(),
             to_string(other->who()), other->id());
  } else {
    all.fail("torn: %s %lu found the pair behind mutex %u at %llu and %llu", to_string(who.who()), who.id(),
             n, static_cast<unsigned long long>(m_sections), static_cast<unsigned long long>(~m_pair));
  }
  m_pair = ~m_sections;  // one bug, one line
}

void cell::renew() noexcept {
  constexpr int poison = 0xA5;
  m_there.store(false, std::memory_order_relaxed);
  std::destroy_at(&lock());
  std::memset(m_room, poison, sizeof m_room);
#if MORTISE_ASAN
  ASAN_POISON_MEMORY_REGION(m_room, sizeof m_room);
#endif
  // Time for those who gave the mutex up before us to be late: some were preempted on the way out.
  if ((m_sections / 8 & 1) != 0) {
    mortise::sleep_for(std::chrono::microseconds{200});
  } else {
    mortise::yield();
  }
#if MORTISE_ASAN
  ASAN_UNPOISON_MEMORY_REGION(m_room, sizeof m_room);
#endif
  for (const std::byte b : m_room) {
    if (b == std::byte{poison}) continue;
    the_ledger().fail("late: mutex %u was touched after its last holder had destroyed it",
                      the_ledger().number_of(*this));
    break;
  }
  make();
}

void cell::update_without_the_lock() noexcept {
  const std::uint64_t n = m_sections;
  mortise::sleep_for(std::chrono::microseconds{200});
  m_sections = n + 1;
  m_pair = ~m_sections;
  expect(1);
}

void ledger::balance(const totals& counted) {
  std::uint64_t made = 0;
  for (unsigned i = 0; i < cells; ++i) {
    cell& c = m_cells[i];
    const std::uint64_t expected = c.m_expected.load(std::memory_order_relaxed);
    made += expected;
    if (c.m_sections != expected) {
      fail("lost: the counter behind mutex %u is %llu, its parties made %llu sections", i,
           static_cast<unsigned long long>(c.m_sections), static_cast<unsigned long long>(expected));
      c.m_expected.store(c.m_sections, std::memory_order_relaxed);
    }
    if (const unsigned n = mortise::lock_probe::waiters(c.lock()); n != 0) {
      fail("left over: %u waiters are in the queue of mutex %u, and no party lives", n, i);
    } else if (!c.lock().try_lock()) {
      fail("left over: mutex %u is taken, and no party lives", i);
    } else {
      c.lock().unlock();
    }
  }
  if (failures() == 0 && made != counted.read().acquisitions()) {
    fail("lost: %llu sections behind the mutexes, %llu acquisitions by their names",
         static_cast<unsigned long long>(made),
         static_cast<unsigned long long>(counted.read().acquisitions()));
  }
}

void ledger::fail(const char* format, ...) noexcept {
  if (m_failures.fetch_add(1, std::memory_order_relaxed) >= 20) return;
  char line[300];
  va_list args;
  va_start(args, format);
  std::vsnprintf(line, sizeof line, format, args);
  va_end(args);
  std::fprintf(stderr, "soak: %s\n", line);
}

ledger& the_ledger() {
  static ledger& l = *new ledger;
  return l;
}

}  // namespace soak
