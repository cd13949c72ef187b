#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstring>
#include <thread>

#include <mortise/base/clock.hpp>
#include <mortise/base/restartable.hpp>
#include <mortise/base/spin.hpp>

namespace {

namespace restartable = mortise::restartable;
using word = mortise::atomic<std::uint64_t>;

constexpr std::uint64_t mine = 1, somebody_waits = 1 << 8;

// The bug: the byte is not the only thing that is stored, or is cleared although others have spoken.
TEST(restartable, byte_is_cleared_only_if_nobody_has_spoken) {
  word w{0};
  EXPECT_TRUE(restartable::set_byte(w, mine));
  EXPECT_FALSE(restartable::set_byte(w, mine));
  EXPECT_EQ(w.load(), mine);
  w = mine | somebody_waits;
  EXPECT_FALSE(restartable::clear_byte(w, mine));
  EXPECT_EQ(w.load(), mine | somebody_waits);
  w = 2;
  EXPECT_FALSE(restartable::clear_byte(w, mine));
  EXPECT_EQ(w.load(), 2u);
  w = somebody_waits | 0x123456789abc0000;
  EXPECT_EQ(restartable::set_byte(w, mine), true);
  EXPECT_EQ(w.load(), mine | somebody_waits | 0x123456789abc0000);
  w = mine;
  while (!restartable::clear_byte(w, mine)) {}
  EXPECT_EQ(w.load(), 0u);
}

// The bug: a thread that was interrupted between its look and its store still stores, or its store comes late.
TEST(restartable, nobody_clears_it_after_the_interruption) {
  if (!restartable::in_use()) GTEST_SKIP() << "rseq or membarrier is not to be had here";
  constexpr unsigned enough = 20'000;  // without interrupt_all one in a hundred of these is late
  word w{0};
  mortise::atomic<bool> over{false};
  mortise::atomic<unsigned> turns{0};
  std::jthread owner([&] {
    while (!over.load(mortise::memory_order_relaxed)) {
      mortise::add_single_writer(turns, 1u);
      if (!restartable::set_byte(w, mine)) continue;
      for (int wait = 0; !restartable::clear_byte(w, mine);) mortise::spin_for_another(wait);
    }
  });
  unsigned late = 0, held = 0;
  // Where the two share a core each round takes a time slice.
  const mortise::nanos end = mortise::now_ns() + 1'000'000'000;
  while (held < enough && (held == 0 || mortise::now_ns() < end)) {
    const unsigned before = turns.load(mortise::memory_order_relaxed);
    for (int wait = 0; turns.load(mortise::memory_order_relaxed) - before < 20;)
      mortise::spin_for_another(wait);
    w.fetch_or(somebody_waits);
    restartable::interrupt_all();
    if ((w.load(mortise::memory_order_relaxed) & mine) != 0) {
      ++held;
      bool cleared = false;
      for (int looks = 0; looks < 200; ++looks)
        cleared |= (w.load(mortise::memory_order_relaxed) & mine) == 0;
      late += cleared;
    }
    w.fetch_and(~somebody_waits);
  }
  over = true;
  owner.join();
  EXPECT_EQ(late, 0u);
  EXPECT_EQ(w.load(), 0u) << "a clear that failed was taken for done";
}

// The bug: while all is shut a byte is set or cleared all the same, or no more once it is open again.
TEST(restartable, nothing_is_done_while_it_is_shut) {
  word w{0};
  restartable::shut(true);
  EXPECT_FALSE(restartable::set_byte(w, mine));
  EXPECT_EQ(w.load(), 0u);
  w = mine;
  EXPECT_FALSE(restartable::clear_byte(w, mine));
  EXPECT_EQ(w.load(), mine);
  const bool in_use = restartable::in_use();
  restartable::shut(false);
  EXPECT_EQ(restartable::in_use(), in_use);
  while (!restartable::clear_byte(w, mine)) {}
  EXPECT_TRUE(restartable::set_byte(w, mine));
}

#if MORTISE_HAS_SEQUENCES

// What the trap handler, which runs before each instruction, does at one of them: it speaks, as another thread would.
struct {
  word* at = nullptr;
  int steps = 0, speaks_before = 0;
  bool was_set = false;
} stepping;

void on_trap(int) {
  if (++stepping.steps != stepping.speaks_before) return;
  stepping.was_set = (stepping.at->fetch_or(somebody_waits) & mine) != 0;
}

void single_step(bool on) {
  constexpr std::uint64_t trap_flag = 1 << 8;
  std::uint64_t flags = __builtin_ia32_readeflags_u64();
  __builtin_ia32_writeeflags_u64(on ? flags | trap_flag : flags & ~trap_flag);
}

// The bug: a sequence that was interrupted goes on; or single-stepping, which interrupts every one, never gets through.
TEST(restartable, one_who_speaks_before_any_instruction_is_seen) {
  struct sigaction ours{}, before{};
  ours.sa_handler = on_trap;
  ::sigaction(SIGTRAP, &ours, &before);
  int spoken = 0;
  for (int k = 1;; ++k) {
    word w{mine};
    stepping = {.at = &w, .speaks_before = k};
    single_step(true);
    const bool cleared = restartable::clear_byte(w, mine);
    single_step(false);
    if (stepping.steps < k) break;
    if (!stepping.was_set) continue;
    ++spoken;
    EXPECT_FALSE(cleared) << "spoken before instruction " << k;
    EXPECT_EQ(w.load(), mine | somebody_waits) << "spoken before instruction " << k;
  }
  ::sigaction(SIGTRAP, &before, nullptr);
  EXPECT_GT(spoken, 5);
}

// The descriptors of all sequences in this program, as the kernel reads them.
struct descriptor {
  std::uint32_t version, flags;
  const unsigned char* start;
  std::uint64_t length;
  const unsigned char* abort;
};
extern "C" const descriptor __start___rseq_cs[], __stop___rseq_cs[];

// The bug: the store lies outside of what the kernel takes for the sequence, and is made although others have spoken.
TEST(restartable, the_store_is_the_last_instruction_of_its_sequence) {
  const auto n = __stop___rseq_cs - __start___rseq_cs;
  ASSERT_GT(n, 0);
  for (const descriptor* d = __start___rseq_cs; d != __stop___rseq_cs; ++d) {
    // movb $0, (byte): opcode c6, an address of one to six bytes, and the 0.
    const unsigned char* const end = d->start + d->length;
    EXPECT_EQ(end[-1], 0);
    EXPECT_TRUE(end[-3] == 0xc6 || end[-4] == 0xc6 || end[-5] == 0xc6 || end[-7] == 0xc6 || end[-8] == 0xc6);
    std::uint32_t signature = 0;
    std::memcpy(&signature, d->abort - sizeof signature, sizeof signature);
    EXPECT_EQ(signature, 0x53053053u);
  }
}

#endif

// The bug: the registration is the parent's, and in the child the interruption ends the program.
TEST(restartable, child_of_a_fork_can_interrupt_too) {
  if (!restartable::in_use()) GTEST_SKIP() << "rseq or membarrier is not to be had here";
  const pid_t child = ::fork();
  if (child == 0) {
    if (restartable::in_use()) restartable::interrupt_all();
    ::_exit(restartable::in_use() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
