// A value that processes share. From fibers and coroutines: tests/scopes. Killed at any instruction, thousands of times: tests/crash.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <mortise/base/outcome.hpp>
#include <mortise/shm/guarded.hpp>
#include <mortise/shm/map.hpp>

// Children start threads; and a mutex that their parent held as they were forked ThreadSanitizer takes, in them, for held by a thread of theirs.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0:report_mutex_bugs=0"; }

namespace {

using namespace std::chrono_literals;
namespace shm = mortise::shm;
using mortise::outcome;
using shm::place;
using shm::tenure;

// Read without the lock, or not; changed on the stack, or on the heap.
template <std::size_t Bytes>
struct value_of {
  std::array<std::uint64_t, Bytes / 8> part{};
  bool whole() const {
    return std::all_of(part.begin(), part.end(), [&](std::uint64_t p) { return p == part[0]; });
  }
  void operator++() {
    for (std::uint64_t& p : part) ++p;
  }
  static value_of of(std::uint64_t n) {
    value_of made;
    made.part.fill(n);
    return made;
  }
};
using small = value_of<16>;
using large = value_of<1000>;

template <class T>
std::uint64_t number(const shm::guarded<T>& g) {
  return g.read([](const T& v) { return v.whole() ? v.part[0] : ~std::uint64_t{0}; });
}

// Another process' handle to the same region, or as good as that.
template <class T>
place where(const shm::guarded<T>& g) {
  return place::descriptor(g.where().descriptor());
}

template <class F>
pid_t in_a_child(F f) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::_exit(f() ? 0 : 1);
}
int status_of(pid_t child) {
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}
bool was_well(pid_t child) { return status_of(child) == 0; }

// One that is killed with the value half changed.
template <class T>
void kill_one_inside(shm::guarded<T>& g) {
  const pid_t child = in_a_child([&] {
    g.update([](T& v) {
      v.part[0] = 77;
      ::raise(SIGKILL);
    });
    return true;
  });
  EXPECT_EQ(status_of(child), SIGKILL);
}

template <class T>
class shared_value : public testing::Test {
 protected:
  shm::guarded<T> g{place::anonymous(), T::of(1)};
};
using sizes = testing::Types<small, value_of<256>, value_of<264>, value_of<16 * 1024>, value_of<40'000>>;
TYPED_TEST_SUITE(shared_value, sizes);

TYPED_TEST(shared_value, what_one_handle_changes_the_other_sees) {
  shm::guarded<TypeParam> other{where(this->g), TypeParam::of(99)};
  EXPECT_EQ(number(other), 1u) << "what is there is not made again";
  this->g.update([](TypeParam& v) { ++v; });
  EXPECT_EQ(number(other), 2u);
  const std::uint64_t token = other.update([](TypeParam& v, const tenure& now) {
    ++v;
    return now.token;
  });
  EXPECT_GT(this->g.update([](TypeParam&, const tenure& now) { return now.token; }), token);
  EXPECT_EQ(number(this->g), 3u);
}

// The bug: half of a change stays when its closure throws.
TYPED_TEST(shared_value, closure_that_throws_leaves_the_old_value) {
  EXPECT_THROW(this->g.update([](TypeParam& v) {
    v.part[0] = 2;
    throw std::runtime_error{"half-way"};
  }),
               std::runtime_error);
  EXPECT_EQ(number(this->g), 1u);
  EXPECT_THROW(this->g.read([](const TypeParam&) { throw std::runtime_error{"a reader"}; }),
               std::runtime_error);
  EXPECT_TRUE(this->g.try_update([](TypeParam& v) { ++v; })) << "the lock is free again";
}

// The bug: two processes change the value at once, or one sees what the other has only half written.
TYPED_TEST(shared_value, processes_lose_no_update) {
  constexpr int rounds = 300;
  const auto change = [](shm::guarded<TypeParam>& value) {
    bool whole = true;
    for (int i = 0; i < rounds; ++i) {
      value.update([&](TypeParam& v) {
        whole = whole && v.whole();
        ++v;
      });
      whole = whole && value.read([](const TypeParam& v) { return v.whole(); });
    }
    return whole;
  };
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    children.push_back(in_a_child([&] {
      if (i == 0) return change(this->g);  // inherited
      shm::guarded<TypeParam> mine{where(this->g)};
      return change(mine);
    }));
  }
  EXPECT_TRUE(change(this->g));
  for (const pid_t child : children) EXPECT_TRUE(was_well(child));
  EXPECT_EQ(number(this->g), 1 + 4u * rounds);
}

// The bug: the lock stays with the dead, its half of a change is the value, or nobody is told.
TYPED_TEST(shared_value, one_killed_in_its_closure_leaves_the_old_value_and_is_told_of_once) {
  const std::uint64_t before = this->g.update([](TypeParam&, const tenure& now) {
    EXPECT_FALSE(now.owner_died);
    return now.token;
  });
  kill_one_inside(this->g);
  EXPECT_EQ(number(this->g), 1u);
  this->g.update([&](TypeParam& v, const tenure& now) {
    EXPECT_TRUE(v.whole());
    EXPECT_TRUE(now.owner_died);
    EXPECT_GT(now.token, before + 1) << "the dead one had a token too";
    ++v;
  });
  this->g.update([](TypeParam&, const tenure& now) { EXPECT_FALSE(now.owner_died); });
  EXPECT_EQ(number(this->g), 2u);
}

// The bug: a read, or an update that did not ask, swallows the news.
TYPED_TEST(shared_value, news_of_a_death_waits_for_who_asks) {
  const auto asked = [&] {
    return this->g.update([](TypeParam&, const tenure& now) { return now.owner_died; });
  };
  const auto do_not_ask = [&] {
    number(this->g);
    this->g.update([](TypeParam& v) { ++v; });
    EXPECT_THROW(this->g.update([](TypeParam&) { throw std::runtime_error{"neither"}; }), std::runtime_error);
    EXPECT_THROW(
        static_cast<void>(this->g.try_update([](TypeParam&) { throw std::runtime_error{"no outcome"}; })),
        std::runtime_error);
    number(this->g);
  };
  kill_one_inside(this->g);
  do_not_ask();
  EXPECT_TRUE(asked());
  EXPECT_FALSE(asked());
  kill_one_inside(this->g);
  do_not_ask();
  EXPECT_EQ(this->g.try_update([](TypeParam&) {}).how, outcome::owner_died);
  EXPECT_EQ(this->g.try_update([](TypeParam&) {}).how, outcome::acquired);
  EXPECT_FALSE(asked());
}

// A process that is inside until it is let go.
class one_inside {
 public:
  template <class T>
  explicit one_inside(shm::guarded<T>& g) {
    int in[2], out[2];
    if (::pipe(in) != 0 || ::pipe(out) != 0) return;
    m_child = in_a_child([&] {
      ::close(out[1]);
      char c = 0;
      g.update([&](T& v) {
        ++v;
        return ::write(in[1], "i", 1) == 1 && ::read(out[0], &c, 1) == 0;
      });
      return true;
    });
    ::close(in[1]);
    ::close(out[0]);
    char c = 0;
    EXPECT_EQ(::read(in[0], &c, 1), 1);
    ::close(in[0]);
    m_door = out[1];
  }
  one_inside(const one_inside&) = delete;
  one_inside& operator=(const one_inside&) = delete;
  ~one_inside() { let_go(); }
  void let_go() {
    if (m_door < 0) return;
    ::close(std::exchange(m_door, -1));
    EXPECT_TRUE(was_well(m_child));
  }

 private:
  pid_t m_child = -1;
  int m_door = -1;
};

// The bug: a holder that has stopped stops all who only look.
TEST(shared_values, small_one_is_read_past_a_holder) {
  shm::guarded<small> g{place::anonymous(), small::of(1)};
  one_inside other{g};
  EXPECT_EQ(number(g), 1u);
  EXPECT_EQ(g.update_or_stop({}, 1ms, [](small&) {}).how, outcome::timed_out);  // it is inside
  other.let_go();
  EXPECT_EQ(number(g), 2u);
}

// The bug: a closure runs although the lock was not to be had, or its result is lost.
TEST(shared_values, bounded_update_tells_how_it_ended) {
  shm::guarded<small> g{place::anonymous()};
  const auto add = [](small& v) {
    ++v;
    return v.part[0];
  };
  std::stop_source stopped;
  stopped.request_stop();
  {
    one_inside other{g};
    EXPECT_EQ(g.try_update(add).how, outcome::timed_out);
    EXPECT_EQ(g.try_update_for(1ms, add).how, outcome::timed_out);
    EXPECT_EQ(g.try_update_until(std::chrono::system_clock::now() + 1ms, add).how, outcome::timed_out);
    EXPECT_EQ(g.update_or_stop(stopped.get_token(), add).how, outcome::stopped);
    const auto none = g.update_or_stop(std::stop_token{}, 1ms, add);
    EXPECT_EQ(none.how, outcome::timed_out);
    EXPECT_FALSE(none);
    EXPECT_FALSE(none.value);
  }
  std::uint64_t n = 1;
  for (const auto& done : {g.try_update(add), g.try_update_for(1h, add),
                           g.try_update_until(std::chrono::steady_clock::now() + 1h, add),
                           g.update_or_stop(std::stop_source{}.get_token(), add),
                           g.update_or_stop(std::stop_token{}, 1h, add)}) {
    EXPECT_TRUE(done);
    EXPECT_EQ(done.how, outcome::acquired);
    EXPECT_EQ(done.value, ++n);
  }
}

// The bug: a child that was forked inside changes the value together with its parent, or unlocks what is not its.
TYPED_TEST(shared_value, child_that_returns_from_the_closure_changes_nothing) {
  pid_t child = -1;
  bool was_refused = false;
  try {
    this->g.update([&](TypeParam& v) {
      ++v;
      child = ::fork();
      if (child == 0) ++v;
    });
  } catch (const shm::error& e) {
    was_refused = std::string{e.what()}.find("forked in its closure") != std::string::npos;
  }
  if (child == 0) {
    this->g.update([](TypeParam& v) { ++v; });  // as everybody
    ::_exit(was_refused ? 0 : 1);
  }
  EXPECT_FALSE(was_refused);
  EXPECT_TRUE(was_well(child));
  EXPECT_EQ(number(this->g), 3u);
}

// The bug: it takes the lock of another thread of the child for its own, and puts the old value over what that one does.
TYPED_TEST(shared_value, child_that_returns_while_others_of_it_are_inside_changes_nothing) {
  pid_t child = -1;
  std::atomic<bool> inside{false}, may_go{false};
  std::thread other;
  bool was_refused = false;
  try {
    this->g.update([&](TypeParam& v) {
      ++v;
      child = ::fork();
      if (child != 0) return;
      other = std::thread([&] {
        this->g.update([&](TypeParam& now) {
          ++now;
          inside = true;
          while (!may_go) ::usleep(100);
        });
      });
      while (!inside) ::usleep(100);
    });
  } catch (const shm::error&) {
    was_refused = true;
  }
  if (child == 0) {
    may_go = true;
    other.join();
    ::_exit(was_refused && number(this->g) == 3 ? 0 : 1);
  }
  EXPECT_TRUE(was_well(child));
  EXPECT_EQ(number(this->g), 3u);
}

// The bug: a number that a peer has forged leads out of the region.
TYPED_TEST(shared_value, forged_commit_number_leads_nowhere_else) {
  this->g.update([](TypeParam& v) { ++v; });
  for (const std::uint64_t forged : {~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    std::memcpy(this->g.where().payload(), &forged, sizeof forged);
    EXPECT_EQ(number(this->g), forged % 2 == 0 ? 1u : 2u);
  }
  this->g.update([](TypeParam& v) { v = TypeParam::of(5); });
  EXPECT_EQ(number(this->g), 5u);
}

// The bug: who comes second begins anew, or does not find what the first one left.
TEST(shared_values, value_under_a_name_outlives_its_handles) {
  char directory[] = "/tmp/mortise-test-XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  ASSERT_EQ(::setenv("MORTISE_RUNTIME_DIR", directory, 1), 0);
  EXPECT_TRUE(was_well(in_a_child([] {
    shm::guarded<small> g{"numbers", small::of(5)};
    g.update([](small& v) { ++v; });
    return true;
  })));
  {
    shm::guarded<small> g{"numbers", small::of(99)};
    EXPECT_EQ(number(g), 6u);
    shm::guarded<small> other{"others", small::of(7)};
    EXPECT_EQ(number(other), 7u);
  }
  std::filesystem::remove_all(directory);
}

// The bug: a large value is made or changed on the stack of whoever does so.
TEST(shared_values, stack_need_not_hold_a_large_one) {
  using huge = value_of<(std::size_t{16} << 20)>;  // 8 MiB is the usual stack
  shm::guarded<huge> g{place::anonymous()};
  g.update([](huge& v) { ++v; });
  EXPECT_EQ(number(g), 1u);
}

// The bug: a program that means something else by these bytes is let in.
TEST(shared_values, another_type_is_refused_with_both_names) {
  shm::guarded<small> g{place::anonymous()};
  try {
    shm::guarded<std::array<std::int64_t, 2>> other{where(g)};
    FAIL() << "the same size, and another type";
  } catch (const shm::error& e) {
    EXPECT_NE(std::string{e.what()}.find("value_of<16"), std::string::npos) << e.what();
    EXPECT_NE(std::string{e.what()}.find("std::array<long"), std::string::npos) << e.what();
  }
}

TEST(shared_values, map_is_shared) {
  using map = shm::map<int, int, 16>;
  shm::guarded<map> g{place::anonymous()};
  EXPECT_TRUE(was_well(in_a_child([&] {
    g.update([](map& m) { m[3] = 7; });
    return true;
  })));
  EXPECT_EQ(g.read([](const map& m) { return m.at(3); }), 7);
  EXPECT_THROW(g.update([](map& m) {
    for (int i = 0; i < 17; ++i) m[i] = i;
  }),
               std::length_error);
  EXPECT_EQ(g.read([](const map& m) { return m.size(); }), 1u);
}

}  // namespace
