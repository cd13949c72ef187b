// Schedules and effects of memory that an explorer easily leaves out, and this one did, each with the simplest program that shows it. (Programs at random:
// reduction_model.cpp.)
#include <stdexcept>

#include <explore/verify.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/futex.hpp>
#include <mortise/base/membarrier.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/os_thread.hpp>

namespace {

using explore::require;
using explore::scoped_thread;
using mortise::atomic;
using std::memory_order_relaxed;

// The store is still on its way when the thread reaches an operation that drains, on something that is nobody else's: with no choice
// before that, nobody ran in between.
EXPLORE_FAULT(effects, a_store_is_kept_until_a_private_rmw, "one of two saw", {.weak = false}) {
  atomic<int> x{0}, y{0};
  int a = -1, b = -1;
  {
    scoped_thread other{"other", [&] {
                          atomic<int> own{0};
                          x.store(1, memory_order_relaxed);
                          a = y.load(memory_order_relaxed);
                          own.exchange(1);
                        }};
    y.exchange(1);
    b = x.load(memory_order_relaxed);
  }
  require(a == 1 || b == 1, "one of two saw the other");
}

// Before an unlock it matters who goes on, if somebody tries.
EXPLORE_FAULT(effects, a_try_finds_an_os_mutex_held, "was free") {
  mortise::os_mutex m;
  scoped_thread other{"other", [&] {
                        m.lock();
                        m.unlock();
                      }};
  const bool got = m.try_lock();
  if (got) m.unlock();
  require(got, "it was free");
}

// Two sleep, one is woken: either of them. (It was the one of the lower number.)
template <int Passed>
void one_of_two_sleepers() {
  atomic<std::uint32_t> word{0};
  const auto start = mortise::now_ns();
  bool woken[2] = {};
  {
    const auto sleep = [&](bool& in_time) {
      mortise::futex_wait(word, 0, start + 1'000'000);
      in_time = mortise::now_ns() < start + 1'000'000;
    };
    scoped_thread a{"a", [&] { sleep(woken[0]); }};
    scoped_thread b{"b", [&] { sleep(woken[1]); }};
    mortise::sleep_this_thread_until(start + 1'000);  // both sleep by then
    mortise::futex_wake(word, 1);
    mortise::sleep_this_thread_until(start + 500'000);
  }
  require(!woken[Passed] || woken[1 - Passed], "the other one was woken");
}
EXPLORE_FAULT(effects, the_first_of_two_sleepers_is_woken, "other one was", {.deviations = 0}) {
  one_of_two_sleepers<0>();
}
EXPLORE_FAULT(effects, the_second_of_two_sleepers_is_woken, "other one was", {.deviations = 0}) {
  one_of_two_sleepers<1>();
}

// Who yields has passed that place: two of them are not in one state before and after.
EXPLORE_FAULT(effects, one_who_yields_goes_on_first, "the store first", {.preemptions = 0, .deviations = 0}) {
  atomic<int> x{0};
  int seen = -1;
  {
    scoped_thread other{"other", [&] {
                          mortise::yield_this_thread();
                          seen = x.load(memory_order_relaxed);
                        }};
    mortise::yield_this_thread();
    x.store(1, memory_order_relaxed);
  }
  require(seen == 1, "the store first");
}

// A new thread sees what was stored before it was made: that is C++, and no buffer's business.
EXPLORE(effects, a_new_thread_sees_all_that_was_done_before, {.deviations = 2}) {
  atomic<int> x{0};
  x.store(1, memory_order_relaxed);
  scoped_thread other{"other", [&] { require(x.load(memory_order_relaxed) == 1, "it was stored before"); }};
}

// A load after the store of one byte of it sees all of the word.
EXPLORE(effects, a_byte_that_is_on_its_way_is_part_of_its_word, {.deviations = 2}) {
  atomic<std::uint64_t> x{0x0101};
  scoped_thread other{"other", [&] { static_cast<void>(x.load(memory_order_relaxed)); }};
  if (x.store_byte_if(0x0101, 0, 2)) require(x.load(memory_order_relaxed) == 0x0102, "the whole word");
}

// A sequence may store after another thread's change and before that one's membarrier: hence the look after it.
EXPLORE_FAULT(effects, a_sequence_stores_just_before_the_barrier, "it is as it was left",
              {.preemptions = 3, .deviations = 0, .weak = false}) {
  atomic<std::uint64_t> x{0};
  scoped_thread other{"other", [&] { x.store_word_if(0, 1); }};
  x.exchange(2);
  mortise::membarrier();
  const std::uint64_t now = x.load(memory_order_relaxed);
  other.join();
  require(now == 2, "it is as it was left");
}

// To make an object is to write it: who gets its address without an order may find it half made.
template <std::memory_order Store>
void a_new_object() {
  atomic<mortise::plain<int>*> where{nullptr};
  scoped_thread maker{"maker", [&] { where.store(new mortise::plain<int>{1}, Store); }};
  if (const auto* const made = where.load(std::memory_order_acquire); made != nullptr)
    require(made->get() == 1, "as it was made");
}
EXPLORE(effects, a_new_object_that_is_released_is_whole) { a_new_object<std::memory_order_release>(); }
EXPLORE_FAULT(effects, a_new_object_that_is_not_released_is_a_race, "data race") {
  a_new_object<memory_order_relaxed>();
}

// A state that is too large for the book is refused, not confused with another.
TEST(effects, a_bound_that_is_too_large_is_refused) {
  EXPECT_THROW(explore::exhaustive(explore::budget{8, 1}), std::invalid_argument);
  EXPECT_THROW(explore::exhaustive(explore::budget{1, 8}), std::invalid_argument);
}

}  // namespace
