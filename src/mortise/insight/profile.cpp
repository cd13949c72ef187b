// What the profile sees of locks and waits, and which of it becomes a sample.
//
// A hold is blamed for the time from its begin, or from when the first one waits, to the unlock. Its begin is the last unlock that was told of, or
// when a waiter took the lock since, or when the holder got its core back; the first two are kept by lock in `holds`.
//  - Where holds end faster than one in `between_looks`, most begins are not stamped, so that they cost no look at the clock: whether
//    one is, is decided before the hold that it begins, so long holds are as likely to be measured as short ones.
//  - A thread's sections in its turn are measured each while there are fewer than one in `between_looks`. Faster ones are as a whole, and
//    blamed on the one in which the turn ended: the next thread comes at no particular moment, so that a place's chance of it is
//    its share of the time.
//
// Tables, not maps: a lock that falls out of `holds`, since another one came to its slot, is measured from its first waiter on.
#include <mortise/insight/profile.hpp>

#include <algorithm>
#include <array>
#include <mutex>

#include <mortise/base/age_clock.hpp>
#include <mortise/base/cache_line.hpp>
#include <mortise/base/per_thread.hpp>
#include <mortise/insight/recording.hpp>
#include <mortise/insight/thinning.hpp>
#include <mortise/wait/observer.hpp>

namespace mortise::inline MORTISE_ABI::insight {
namespace {

using wait::subject;
using wait::waiter;

constexpr unsigned most_thinned = 32;
constexpr unsigned most_thinned_stacks = 4096;
constexpr unsigned most_passed_over = 255;
constexpr nanos between_looks = 20'000;  // of one thread: a look costs some 50 ns

struct thread_state {
  dice luck;
  thinning holds, waits, suspensions;
  nanos last_in_turn = 0;
  unsigned passed_over = 0;
  const void* came_back_for = nullptr;
  nanos came_back = 0;
};
MORTISE_PER_THREAD(thread_state) mine{};

std::size_t hashed(const void* p, unsigned bits) noexcept {
  return static_cast<std::size_t>((reinterpret_cast<std::uintptr_t>(p) >> 3) * 0x9E3779B97F4A7C15u >>
                                  (64 - bits));
}

// When a hold of `what` began, and how many holds it stands for; all relaxed: a hold that is seen wrongly, since another
// one of the same lock was told of at that moment, is one in millions.
struct hold_begin {
  atomic<const void*> what{nullptr};
  atomic<std::uint64_t> stamp{0};  // 0: this one is not measured

  std::uint64_t stamp_for(subject s) const noexcept {
    return what.load(memory_order_relaxed) == s.what ? stamp.load(memory_order_relaxed) : 0;
  }
  static std::uint64_t stamp_of(nanos at, unsigned stands_for) noexcept {
    return (static_cast<std::uint64_t>(at) << 6) | stands_for;
  }
  static nanos begin_of(std::uint64_t stamp) noexcept { return static_cast<nanos>(stamp >> 6); }
  static unsigned weight_of(std::uint64_t stamp) noexcept { return stamp & 63; }
};
static_assert(most_thinned < 64);

constexpr unsigned hold_bits = 13;
constinit std::array<hold_begin, 1 << hold_bits> holds;

// Waits under way that are measured. Who has changed a place's `who` from null, or from a waiter, to `being_written` is the only one to touch
// what is measured there, until it stores another value. Orderings: P1 that store is a release <-> the change to `being_written` is an acquire: one after the
// other. Looks before it are relaxed: the change checks what they saw.
struct measured_wait {
  nanos since = 0;
  unsigned stands_for = 0;
  const char* kind = nullptr;
  call_stack at;  // of a coroutine; who blocks is still there when it ends
};
constexpr unsigned bucket_bits = 9;
constexpr std::size_t in_bucket = cache_line / sizeof(void*);
struct alignas(cache_line) wait_bucket {
  std::array<atomic<const waiter*>, in_bucket> who{};
};
constinit std::array<wait_bucket, 1 << bucket_bits> waiting;
constinit std::array<std::array<measured_wait, in_bucket>, 1 << bucket_bits> measured;
const waiter being_written;

class onlooker final : public wait::observer {
 public:
  void begin(nanos every) noexcept {
    m_every.store(every, memory_order_relaxed);
    m_holds.begin(every);
    m_waits.begin(every);
  }

  void freed(subject s, nanos since) noexcept override {
    hold_begin& b = begin_of(s);
    const unsigned next = mine.holds.take(mine.luck, apart(between_looks), most(most_thinned), age_clock_now);
    // One that begins with its first waiter is known only now: it has not been chosen, and stands for itself.
    const bool begins_with_waiter = since != 0 && b.what.load(memory_order_relaxed) != s.what;
    if (next == 0 && b.stamp_for(s) == 0 && !begins_with_waiter) return;
    ended(s, b, since, next);
  }

  unsigned goes_on(subject s) noexcept override {
    const nanos now = age_clock_now();
    const nanos gap = now - mine.last_in_turn;
    mine.last_in_turn = now;
    unsigned& passed_over = mine.passed_over;
    if (gap < apart(between_looks)) {
      passed_over = std::min(2 * passed_over + 1, most_passed_over);
    } else if (passed_over != 0) {
      passed_over /= 2;
    } else {
      ended(s, begin_of(s), 0, 1);
    }
    return passed_over;
  }

  void comes_back(subject s) noexcept override {
    if (begin_of(s).stamp_for(s) == 0) return;  // the next hold is not measured
    mine.came_back_for = s.what;
    mine.came_back = age_clock_now();
  }

  void took(subject s) noexcept override {
    hold_begin& b = begin_of(s);
    const std::uint64_t stamp = b.stamp_for(s);
    if (stamp == 0) return;
    b.stamp.store(hold_begin::stamp_of(age_clock_now(), hold_begin::weight_of(stamp)), memory_order_relaxed);
  }

  void waits(const waiter& n, subject s) noexcept override {
    const bool blocks = n.step == nullptr;
    const unsigned stands_for =
        blocks ? mine.waits.take(mine.luck, apart(between_looks), most(most_thinned), age_clock_now)
               : mine.suspensions.take(mine.luck, apart(m_every.load(memory_order_relaxed)),
                                       most(most_thinned_stacks), age_clock_now);
    if (stands_for == 0) return;
    const std::size_t bucket = hashed(&n, bucket_bits);
    for (std::size_t i = 0; i < in_bucket; ++i) {
      atomic<const waiter*>& who = waiting[bucket].who[i];
      const waiter* nobody = nullptr;
      if (who.load(memory_order_relaxed) != nullptr ||
          !who.compare_exchange_strong(nobody, &being_written, memory_order_acquire, memory_order_relaxed))
        continue;
      measured_wait& w = measured[bucket][i];
      w.since = age_clock_now();
      w.stands_for = stands_for;
      w.kind = s.kind;
      if (!blocks) w.at = call_stack::here();
      who.store(&n, memory_order_release);  // P1: its end is another thread's, perhaps
      return;
    }
  }

  void waits_no_more(const waiter& n) noexcept override {
    const std::size_t bucket = hashed(&n, bucket_bits);
    for (std::size_t i = 0; i < in_bucket; ++i) {
      atomic<const waiter*>& who = waiting[bucket].who[i];
      const waiter* expected = &n;
      // P1; it fails if a new profile has begun meanwhile
      if (who.load(memory_order_relaxed) == &n &&
          who.compare_exchange_strong(expected, &being_written, memory_order_acquire, memory_order_relaxed))
        return ended(n, who, measured[bucket][i]);
    }
  }

 private:
  static hold_begin& begin_of(subject s) noexcept { return holds[hashed(s.what, hold_bits)]; }

  // A hold of `s`; the next one is measured for so many like it, or not.
  void ended(subject s, hold_begin& b, nanos since, unsigned next) noexcept {
    const bool known = b.what.load(memory_order_relaxed) == s.what;
    const std::uint64_t stamp = known ? b.stamp_for(s) : since == 0 ? 0 : hold_begin::stamp_of(since, 1);
    const nanos now = age_clock_now();
    if (!known) b.what.store(s.what, memory_order_relaxed);
    b.stamp.store(next == 0 ? 0 : hold_begin::stamp_of(now, next), memory_order_relaxed);
    if (stamp == 0) return;
    nanos begin = std::max(since, hold_begin::begin_of(stamp));
    if (mine.came_back_for == s.what) begin = std::max(begin, mine.came_back);  // it had no lock and no core
    const nanos length = now - begin;
    if (length <= 0) return;
    const double like_it = hold_begin::weight_of(stamp);
    const double n = like_it * m_holds.take(mine.luck, static_cast<double>(length) * like_it, now);
    if (n == 0) return;
    record(s.kind, call_stack::here(), {.contentions = n, .delay_ns = n * static_cast<double>(length)});
  }

  void ended(const waiter& n, atomic<const waiter*>& who, const measured_wait& w) noexcept {
    const nanos now = age_clock_now();
    const auto length = static_cast<double>(now - w.since);
    const bool blocks = n.step == nullptr;
    const double k = w.stands_for * (blocks ? m_waits.take(mine.luck, length * w.stands_for, now) : 1);
    if (k != 0) record(w.kind, blocks ? call_stack::here() : w.at, {.waits = k, .wait_ns = k * length});
    who.store(nullptr, memory_order_release);  // P1: its place is free for another one
  }

  nanos apart(nanos usual) const noexcept { return m_every.load(memory_order_relaxed) == 0 ? 0 : usual; }
  unsigned most(unsigned usual) const noexcept { return m_every.load(memory_order_relaxed) == 0 ? 1 : usual; }

  atomic<nanos> m_every{0};  // relaxed: how often is all that hangs on it
  pace m_holds, m_waits;
};

constinit onlooker looks_on;
constinit std::mutex switching;

}  // namespace

namespace profile {

void start(options o) {
  const std::lock_guard hold{switching};
  const nanos every = to_nanos(o.every);
  if (!recording_is_under_way()) {
    for (hold_begin& b : holds) b.what.store(nullptr, memory_order_relaxed);
    for (wait_bucket& b : waiting) {
      for (atomic<const waiter*>& who : b.who) {
        const waiter* at = who.load(memory_order_relaxed);
        // P1; not from under one who is still at it
        if (at != nullptr && at != &being_written)
          who.compare_exchange_strong(at, nullptr, memory_order_relaxed, memory_order_relaxed);
      }
    }
    static_cast<void>(call_stack::here());  // what the first one needs is made now
  }
  looks_on.begin(every);
  begin_recording(every);
  wait::observe(looks_on);
}

void stop() noexcept {
  const std::lock_guard hold{switching};
  wait::ignore(looks_on);
  end_recording();
}

bool runs() noexcept { return recording_is_under_way(); }

}  // namespace profile

}  // namespace mortise::inline MORTISE_ABI::insight
