// An unlock without a read-modify-write, as docs/decisions and the Spin model models/restartable_unlock.pml have it, before the library has
// one: a restartable sequence stores the byte HELD if the word says nothing else; who waits announces itself in the word, calls
// membarrier, which aborts sequences, and looks again before it sleeps. With each of its faults, which must be found.
#include <explore/shared_section.hpp>
#include <explore/verify.hpp>
#include <mortise/base/futex.hpp>
#include <mortise/base/membarrier.hpp>
#include <mortise/base/process_global.hpp>

namespace {

using explore::require;
using explore::scoped_thread;

enum class fault { none, no_membarrier, no_look_again, whole_word, touches_after };

struct sleepers {
  mortise::atomic<std::uint32_t> wakes{0};
};
sleepers& parking() {
  static constinit mortise::process_global<sleepers> the;
  return *the;
}

template <fault Fault>
class sequenced_lock {
 public:
  void lock() noexcept {
    for (;;) {
      std::uint64_t w = m_word.load(std::memory_order_relaxed);
      if ((w & held) == 0) {
        if (m_word.compare_exchange_strong(w, w | held, std::memory_order_acquire, std::memory_order_relaxed))
          return;
        continue;
      }
      const std::uint32_t seen = parking().wakes.load(std::memory_order_acquire);
      if ((w & queue) == 0) {
        if (!m_word.compare_exchange_strong(w, w | queue, std::memory_order_relaxed,
                                            std::memory_order_relaxed))
          continue;
        if constexpr (Fault != fault::no_membarrier) mortise::membarrier();
      }
      // A sequence that stored before the barrier has not seen us: then the lock is free. Who is not announced any more, because
      // the word that it announced itself in was an older one, has to do it again.
      const std::uint64_t now = m_word.load(std::memory_order_relaxed);
      if (Fault == fault::no_look_again || (now & (held | queue)) == (held | queue))
        mortise::futex_wait(parking().wakes, seen, mortise::never);
    }
  }

  void unlock() noexcept {
    if constexpr (Fault == fault::whole_word) {
      if (m_word.store_word_if(held, 0)) return;
    } else if (m_word.store_byte_if(held, 0, 0)) {
      if constexpr (Fault == fault::touches_after) static_cast<void>(m_word.load(std::memory_order_relaxed));
      return;
    }
    // Aborted, or somebody waits: never the sequence again. Where they sleep outlives the lock, as parkers do.
    sleepers& lot = parking();
    if ((m_word.fetch_and(~(held | queue), std::memory_order_release) & queue) == 0) return;
    lot.wakes.fetch_add(1, std::memory_order_release);
    mortise::futex_wake(lot.wakes, 100);
  }

 private:
  static constexpr std::uint64_t held = 1;        // byte 0
  static constexpr std::uint64_t queue = 1 << 8;  // byte 1: somebody sleeps or is about to
  mortise::atomic<std::uint64_t> m_word{0};
};

template <fault Fault>
void three_of_them() {
  explore::shared_section<sequenced_lock<Fault>> s;
  scoped_thread a{"a", [&] { s.lock_and_pass(); }};
  scoped_thread b{"b", [&] { s.lock_and_pass(); }};
  s.lock_and_pass();
  a.join();
  b.join();
  require(s.passed == 3, "all came through");
}

template <fault Fault>
void the_last_destroys_it() {
  auto* const s = new explore::shared_section<sequenced_lock<Fault>>;
  mortise::atomic<int> users{2};
  const auto use = [s, &users] {
    s->m.lock();
    s->pass();
    const bool last = users.fetch_sub(1, std::memory_order_relaxed) == 1;
    s->m.unlock();
    if (last) delete s;
  };
  scoped_thread a{"a", use};
  use();
  a.join();
}

EXPLORE(restartable, nothing_is_lost, {.deviations = 2}) { three_of_them<fault::none>(); }
EXPLORE(restartable, the_store_is_the_last_touch, {.preemptions = 3, .deviations = 2}) {
  the_last_destroys_it<fault::none>();
}
EXPLORE_FAULT(restartable, without_membarrier_a_wake_is_lost, "nobody can go on",
              {.deviations = 2, .weak = false}) {
  three_of_them<fault::no_membarrier>();
}
EXPLORE_FAULT(restartable, without_a_second_look_a_wake_is_lost, "nobody can go on", {.deviations = 2}) {
  three_of_them<fault::no_look_again>();
}
EXPLORE_FAULT(restartable, a_store_of_the_whole_word_erases_a_waiter, "nobody can go on", {.deviations = 2}) {
  three_of_them<fault::whole_word>();
}
EXPLORE_FAULT(restartable, a_load_after_the_store_is_too_late, "freed|destroyed", {.deviations = 2}) {
  the_last_destroys_it<fault::touches_after>();
}

}  // namespace
