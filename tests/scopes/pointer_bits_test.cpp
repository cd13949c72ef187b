// Addresses that do not fit into a word of ours are refused where they would enter one.
#include <gtest/gtest.h>

#include <coroutine>
#include <cstdint>
#include <cstdlib>
#include <exception>

#include <mortise/base/pointer_bits.hpp>
#include <mortise/lock/mutex.hpp>

namespace {

TEST(pointer_bits, a_lower_half_address_is_taken) {
  int here = 0;
  mortise::require_pointer_bits(&here, "a variable");
  mortise::require_pointer_bits(reinterpret_cast<void*>((std::uintptr_t{1} << 48) - 16), "the highest");
}

TEST(pointer_bits_death, a_49th_bit_or_a_tag_is_named) {
  for (const unsigned bit : {48u, 52u, 56u, 63u}) {
    void* const p = reinterpret_cast<void*>((std::uintptr_t{1} << bit) + 64);  // never followed
    EXPECT_DEATH(mortise::require_pointer_bits(p, "a slab"),
                 "mortise: a slab at 0x[0-9a-f]+: mortise keeps 48 bits of an address");
  }
}

#if defined(__aarch64__)

// Allocates its frame at an address with a tag in the upper byte, which the processor ignores.
struct tagged {
  struct promise_type {
    static constexpr std::uintptr_t tag = std::uintptr_t{0x2a} << 56;
    static void* operator new(std::size_t n) {
      return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(std::malloc(n)) | tag);
    }
    static void operator delete(void* p) {
      std::free(reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(p) & ~tag));
    }
    tagged get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

tagged lock_once(mortise::mutex& m) { auto hold = co_await m.async_lock(); }

// The bug: the waiter's tag is lost in the word, the queue's ends no longer compare equal, and the queue breaks.
TEST(pointer_bits_death, a_tagged_frame_that_would_queue_is_named) {
  testing::GTEST_FLAG(death_test_style) =
      "threadsafe";  // it starts a thread, which a child of a fork cannot in the emulator
  mortise::mutex m;
  lock_once(m);  // free: nothing is kept of the address
  m.lock();
  EXPECT_DEATH(lock_once(m), "mortise: a waiter at 0x2a[0-9a-f]+: mortise keeps 48 bits of an address");
  m.unlock();
}

#endif

}  // namespace
