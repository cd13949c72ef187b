// A value that processes share, from fibers and coroutines: a thread of the library has the lock for them.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <stdexcept>

#include <sys/wait.h>
#include <unistd.h>

#include <mortise/mortise.hpp>
#include <mortise/shm/guarded.hpp>

namespace {

namespace shm = mortise::shm;
using shm::place;
using shm::tenure;

// Read without the lock, or not; changed on the stack, or on the heap.
template <std::size_t Bytes>
struct value_of {
  std::array<std::uint64_t, Bytes / 8> part{};
  void operator++() {
    for (std::uint64_t& p : part) ++p;
  }
  bool whole() const {
    for (const std::uint64_t p : part) {
      if (p != part[0]) return false;
    }
    return true;
  }
};
using small = value_of<16>;

template <class T>
class shared_value : public testing::Test {};
using sizes = testing::Types<small, value_of<1000>, value_of<40'000>>;
TYPED_TEST_SUITE(shared_value, sizes);

template <class T>
void add(shm::guarded<T>& g, int rounds) {
  for (int i = 0; i < rounds; ++i) g.update([](T& v) { ++v; });
}

template <class T>
mortise::task<> add_and_look(shm::guarded<T>& g, int rounds, bool& whole) {
  for (int i = 0; i < rounds; ++i) {
    co_await g.async_update([](T& v, const tenure&) { ++v; });
    if (!co_await g.async_read([](const T& v) { return v.whole(); })) whole = false;
  }
}

// The bug: tasks of one process, which have the lock taken for them, let others in.
TYPED_TEST(shared_value, fibers_and_coroutines_lose_no_update) {
  constexpr int rounds = 100, parties = 4;
  shm::guarded<TypeParam> g{place::anonymous()};
  const pid_t child = ::fork();
  if (child == 0) {
    add(g, rounds);
    ::_exit(0);
  }
  bool whole[parties];
  {
    mortise::task_scope tasks;
    for (bool& w : whole) {
      w = true;
      tasks.go([&] { add(g, rounds); });
      tasks.go([&] { return add_and_look(g, rounds, w); });
    }
    tasks.join();
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  for (const bool w : whole) EXPECT_TRUE(w);
  EXPECT_EQ(g.read([](const TypeParam& v) { return v.part[0]; }), rounds * (2u * parties + 1));
}

TYPED_TEST(shared_value, async_update_that_throws_leaves_the_old_value) {
  shm::guarded<TypeParam> g{place::anonymous()};
  mortise::task_scope tasks;
  tasks.go([&]() -> mortise::task<> {
    EXPECT_THROW(co_await g.async_update([](TypeParam& v) {
      ++v;
      throw std::runtime_error{"half-way"};
    }),
                 std::runtime_error);
    EXPECT_EQ(co_await g.async_update([](TypeParam& v) {
      ++v;
      return v.part[0];
    }),
              1u);
  });
  tasks.join();
}

// The bug: who only looks waits for a holder.
TEST(shared_values, coroutine_reads_a_small_one_past_a_holder) {
  shm::guarded<small> g{place::anonymous()};
  std::uint64_t seen = 99;
  g.update([&](small& v) {
    ++v;
    mortise::task_scope tasks;
    tasks.go([&]() -> mortise::task<> {
      seen = co_await g.async_read([](const small& now) { return now.part[0]; });
    });
    tasks.join();
  });
  EXPECT_EQ(seen, 0u);
}

}  // namespace
