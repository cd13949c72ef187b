// How threads take turns at a mutex that is never idle. The algorithm is mutex.cpp's, which this only decides when to use: nothing
// here is needed for safety, nor for that everyone gets the lock some day.
//
// A woken thread does not fight for the lock, which would carry its data from core to core with each section. It stands by for
// a turn, and takes the lock at once if it is idle; then it insists, and the next unlock hands it over. So the holder runs some thousand
// sections on one core, meanwhile the next one has long been awake, and all others sleep.
//
// Sources: concurrency restriction (D. Dice, "Malthusian Locks", EuroSys 2017); the lead that a lock stays on a core for a batch of
// sections (D. Dice, A. Kogan, "Compact NUMA-aware locks", EuroSys 2019).
#include <mortise/base/age_clock.hpp>
#include <mortise/base/per_thread.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/wait/offer.hpp>

namespace mortise::inline MORTISE_ABI {
namespace {

using wait::turn;
constexpr int looks_of_a_standby = 3;
constexpr int relaxes_between_looks = 8;

// An unlock in how many asks for the time.
constexpr int turn_sample = 16;

MORTISE_PER_THREAD(const void*) turn_at{nullptr};
MORTISE_PER_THREAD(nanos) turn_since{0};

}  // namespace

// A thread that was woken. Fibers and coroutines have others to make room for, so they do not stand by.
bool mutex::stand_by(wait::waiter& n, nanos deadline) noexcept {
  if (MORTISE_IS_MODEL) return claim(n);
  const auto until_free = [&](nanos limit, int looks, otherwise what) noexcept {
    for (int free = 0; age_clock_now() < limit && (deadline == never || now_ns() < deadline);) {
      const std::uint64_t w = m_word.load(memory_order_relaxed);  // O4
      free = (w & word::held) != 0 ? 0 : free + 1;
      if ((free >= looks || (free != 0 && (w & word::starving) != 0)) && claim(n, what)) return true;
      for (int i = 0; i < relaxes_between_looks; ++i) cpu_relax();
    }
    return false;
  };
  if (until_free(age_clock_now() + turn, looks_of_a_standby, otherwise::keeps_its_offer) || claim(n))
    return true;
  // The holder's next unlock is for us: it would be a pity to be asleep then.
  return n.insists && until_free(age_clock_now() + turn, 1, otherwise::goes_to_sleep);
}

// A thread unlocks while the next one is on its way, which may be waiting for this very core: true once it has gone on so for a
// turn, and it had better give the core away.
bool mutex::turn_is_over() const noexcept {
  if (wait::budget_left() % turn_sample != 0) return false;
  const nanos now = age_clock_now();
  if (turn_at != this || now - turn_since > 2 * turn) {
    turn_at = this;
    turn_since = now;
    return false;
  }
  if (now - turn_since < turn) return false;
  turn_at = nullptr;
  return true;
}

}  // namespace mortise::inline MORTISE_ABI
