// A shared value is old or new: with readers about, and wherever its writer dies. All schedules: two_copies_model.cpp.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <thread>

#include <sys/mman.h>

#include <mortise/shm/two_copies.hpp>
#include <support/single_step.hpp>

namespace {

using mortise::shm::two_copies;

template <std::size_t Size>
using bytes = std::array<unsigned char, Size>;

template <class Value>
Value all(unsigned char v) {
  Value made;
  made.fill(v);
  return made;
}

template <class Value>
class two_copies_of : public testing::Test {};
using sizes = testing::Types<bytes<1>, bytes<3>, bytes<8>, bytes<12>, bytes<255>, bytes<256>, bytes<257>,
                             bytes<40'000>>;
TYPED_TEST_SUITE(two_copies_of, sizes);

TYPED_TEST(two_copies_of, what_is_committed_is_read) {
  static two_copies<TypeParam> value{all<TypeParam>(1)};
  for (unsigned char v = 1; v < 20; ++v) {
    EXPECT_EQ(value.latest(), all<TypeParam>(v));
    if constexpr (two_copies<TypeParam>::is_read_without_lock) {
      ASSERT_TRUE(value.try_read());
      EXPECT_EQ(*value.try_read(), all<TypeParam>(v));
    }
    EXPECT_EQ(value.commits(), v - 1u);
    value.commit(all<TypeParam>(v + 1));
  }
}

// The bug: who reads without the lock sees half of a commit, or an old value again.
TEST(two_copies, reader_sees_whole_values_in_their_order) {
  using value_type = std::array<std::uint64_t, 32>;
  two_copies<value_type> value{value_type{}};
  constexpr std::uint64_t commits = 20'000;
  std::mutex lock;
  const auto write = [&] {
    for (std::uint64_t i = 0; i < commits; ++i) {
      const std::lock_guard hold{lock};
      value_type next = value.latest();
      for (std::uint64_t& part : next) ++part;
      value.commit(next);
    }
  };
  std::thread one{write}, other{write};
  std::uint64_t last = 0, mixed = 0, backward = 0;
  while (last < 2 * commits) {
    const auto seen = value.try_read();
    if (!seen) continue;
    for (const std::uint64_t part : *seen) mixed += part != seen->front();
    backward += seen->front() < last;
    last = seen->front();
  }
  one.join();
  other.join();
  EXPECT_EQ(mixed, 0u);
  EXPECT_EQ(backward, 0u);
}

// The bug: a number that somebody else wrote leads out of the two copies.
TEST(two_copies, forged_number_leads_nowhere_else) {
  two_copies<bytes<8>> value{all<bytes<8>>(1)};
  value.commit(all<bytes<8>>(2));
  for (const std::uint64_t forged : {~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{12'345'678}}) {
    std::memcpy(static_cast<void*>(&value), &forged, sizeof forged);
    const auto seen = value.try_read();
    ASSERT_TRUE(seen);
    EXPECT_EQ((*seen)[0], forged % 2 == 0 ? 1 : 2);
    EXPECT_EQ(value.latest(), *seen);
  }
}

// A value in memory that a child shares, which commits it instruction by instruction.
template <class Value>
void killed_at_every_instruction() {
  using shared = two_copies<Value>;
  void* const at = ::mmap(nullptr, sizeof(shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(at, MAP_FAILED);
  auto* const value = ::new (at) shared{all<Value>(1)};
  const Value second = all<Value>(2), third = all<Value>(3);
  {
    mortise::test::stepped_child child{[&] { value->commit(second); }};
    if (!child.works()) GTEST_SKIP() << "no single steps here";
    int steps = 0, old_values = 0, new_values = 0;
    do {
      // What a kill here would leave to others, and what the next writer makes of that.
      alignas(shared) std::array<unsigned char, sizeof(shared)> left;
      std::memcpy(left.data(), at, sizeof(shared));
      auto& found = *std::launder(reinterpret_cast<shared*>(left.data()));
      const Value seen = found.latest();
      old_values += seen == all<Value>(1);
      new_values += seen == second;
      ++steps;
      ASSERT_EQ(old_values + new_values, steps) << "neither the old value nor the new one";
      if (new_values != 0) ASSERT_EQ(seen, second) << "the old value again";
      found.commit(third);
      ASSERT_EQ(found.latest(), third);
    } while (child.step());
    EXPECT_GT(old_values, 10);
    EXPECT_GT(new_values, 1);
  }
  EXPECT_EQ(value->latest(), second);
  ::munmap(at, sizeof(shared));
}

// The bug: killed between two words of its copy, a writer leaves half a value.
TEST(two_copies, writer_killed_at_any_instruction_leaves_old_or_new) {
  killed_at_every_instruction<bytes<64>>();
}
TEST(two_copies, writer_of_many_bytes_killed_at_any_instruction_leaves_old_or_new) {
  killed_at_every_instruction<bytes<300>>();
}

}  // namespace
