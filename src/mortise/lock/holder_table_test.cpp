// What is told of holders is true, whenever that is begun and ended.
#include <mortise/lock/holder_table.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include <mortise/lock/condition_variable.hpp>
#include <mortise/lock/holder.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/lock/shared_mutex.hpp>
#include <mortise/lock/takers.hpp>
#include <mortise/wait/context.hpp>
#include <support/foreign.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::lock_detail::forget_holders;
using mortise::lock_detail::holder_of;
using mortise::lock_detail::keep_holders;

struct kept {
  kept() { keep_holders(); }
  ~kept() { forget_holders(); }
};

const mortise::wait::parker* me() { return &mortise::wait::this_context().self(); }
bool nobody_is_known(const mortise::mutex& m) { return !holder_of(&m).has_value(); }

// The bug: one of the ways to take it is not seen, or the unlock is not.
TEST(holder_table, whoever_takes_it_holds_it_until_the_unlock) {
  const kept on;
  mortise::mutex m;
  EXPECT_TRUE(nobody_is_known(m));
  const auto held_by_me = [&](bool taken) {
    ASSERT_TRUE(taken);
    ASSERT_TRUE(holder_of(&m).has_value());
    EXPECT_EQ(holder_of(&m)->who, me());
    m.unlock();
    EXPECT_TRUE(nobody_is_known(m));
  };
  held_by_me((m.lock(), true));
  held_by_me(m.try_lock());
  held_by_me(m.try_lock_for(1s));
  held_by_me(m.lock_or_stop({}) == mortise::outcome::acquired);
  held_by_me((m.lock(), m.unlock(), m.lock(), true));
}

// The bug: who waited for it is not seen to take it, or who gives up is taken for the holder.
TEST(holder_table, whoever_waited_holds_it_next) {
  const kept on;
  mortise::mutex m;
  m.lock();
  std::thread gives_up{[&] { EXPECT_FALSE(m.try_lock_for(5ms)); }};
  gives_up.join();
  EXPECT_EQ(holder_of(&m)->who, me());
  std::atomic<const mortise::wait::parker*> other{nullptr};
  std::thread waits{[&] {
    other = me();
    const std::lock_guard hold{m};
    EXPECT_EQ(holder_of(&m)->who, me());
  }};
  while (other == nullptr) std::this_thread::yield();
  std::this_thread::sleep_for(5ms);
  m.unlock();
  waits.join();
  EXPECT_TRUE(nobody_is_known(m));
}

// The bug: a condition's wait, which frees the lock and takes it again, leaves it with who waited, or with nobody.
TEST(holder_table, who_waits_for_a_condition_does_not_hold_the_lock_meanwhile) {
  const kept on;
  mortise::mutex m;
  mortise::condition_variable changed;
  bool ready = false;
  std::thread waits{[&] {
    std::unique_lock hold{m};
    changed.wait(hold, [&] { return ready; });
    EXPECT_EQ(holder_of(&m)->who, me());
  }};
  for (bool done = false; !done;) {
    const std::lock_guard hold{m};
    EXPECT_EQ(holder_of(&m)->who, me());
    done = ready = true;
    changed.notify_one();
  }
  waits.join();
  EXPECT_TRUE(nobody_is_known(m));
}

foreign::coroutine take(mortise::mutex& m, foreign::manual_executor& ex, bool& has) {
  auto hold = co_await m.async_lock(&ex);
  has = true;
  hold.release();
}

// The bug: a coroutine of another library, which is no party of ours, is taken for the next one that gets its ticket.
TEST(holder_table, coroutine_of_another_library_is_no_party) {
  if (MORTISE_IS_CHECKED) GTEST_SKIP() << "tells where it was taken";
  const kept on;
  mortise::mutex m;
  foreign::manual_executor ex;
  bool has = false;
  const auto first = take(m, ex, has);
  ASSERT_TRUE(has);
  ASSERT_TRUE(holder_of(&m).has_value());
  EXPECT_EQ(holder_of(&m)->who, nullptr);
  EXPECT_FALSE(holder_of(&m)->text.empty());
  m.unlock();
  m.lock();
  has = false;
  const auto second = take(m, ex, has);
  m.unlock();
  ex.run_all();
  ASSERT_TRUE(has);
  EXPECT_EQ(holder_of(&m)->who, nullptr);
  m.unlock();
}

// The bug: a way to take a shared_mutex, or to give it back, is not seen; or what was not seen to be taken is given back in another's name.
TEST(holder_table, whoever_is_inside_a_shared_mutex_is_known) {
  mortise::shared_mutex m;
  const auto inside = [&] { return mortise::lock_detail::takers_of(&m); };
  const auto is_me = [&](bool alone) {
    ASSERT_EQ(inside().size(), 1u);
    EXPECT_EQ(inside()[0].who, me());
    EXPECT_EQ(inside()[0].alone, alone);
  };
  if (!MORTISE_IS_CHECKED) m.lock_shared();  // before anybody asks
  const kept on;
  EXPECT_TRUE(inside().empty());
  if (!MORTISE_IS_CHECKED) {
    m.unlock_shared();
    EXPECT_TRUE(inside().empty());
  }
  m.lock();
  is_me(true);
  m.unlock_and_lock_shared();
  is_me(false);
  std::thread{[&] {
    ASSERT_TRUE(m.try_lock_shared());
    EXPECT_EQ(inside().size(), 2u);
    m.unlock_shared();
  }}.join();
  is_me(false);
  m.unlock_shared();
  EXPECT_TRUE(inside().empty());
  ASSERT_TRUE(m.try_lock_for(1s));
  is_me(true);
  m.unlock();
  EXPECT_TRUE(inside().empty());
}

foreign::coroutine look(mortise::shared_mutex& m, foreign::manual_executor& ex, bool& has) {
  const auto hold = co_await m.async_lock_shared(&ex);
  has = true;
}

// The bug: a coroutine of another library, which is not known, gives back in the name of one who is.
TEST(holder_table, coroutine_of_another_library_gives_back_what_is_its_own) {
  const kept on;
  mortise::shared_mutex m;
  foreign::manual_executor ex;
  bool has = false;
  const auto* const mine = me();  // before a thread ends, whose parker this one would have else
  std::thread{[&] { m.lock_shared(); }}.join();
  const auto looks = look(m, ex, has);
  ASSERT_TRUE(has);
  ASSERT_EQ(mortise::lock_detail::takers_of(&m).size(), 1u);
  EXPECT_NE(mortise::lock_detail::takers_of(&m)[0].who, mine);
  m.unlock_shared();
}

// The bug: what was true when it was last kept is told as if it were so now.
TEST(holder_table, knows_nothing_of_what_was_done_while_it_was_not_kept) {
  if (MORTISE_IS_CHECKED) GTEST_SKIP() << "known at all times";
  mortise::mutex m;
  mortise::shared_mutex s;
  {
    const kept on;
    m.lock();
    s.lock_shared();
  }
  EXPECT_TRUE(nobody_is_known(m));
  m.unlock();
  s.unlock_shared();
  EXPECT_TRUE(mortise::lock_detail::takers_of(&s).empty());
  m.lock();
  {
    const kept again;
    EXPECT_TRUE(nobody_is_known(m));
    EXPECT_TRUE(mortise::lock_detail::takers_of(&s).empty());
    m.unlock();
    EXPECT_TRUE(nobody_is_known(m));
    m.lock();
    EXPECT_EQ(holder_of(&m)->who, me());
  }
  m.unlock();
}

// The bug: two locks that share a place in the table are taken for each other.
TEST(holder_table, locks_64_mib_apart_are_told_apart) {
  const kept on;
  constexpr std::size_t apart = std::size_t{64} << 20;
  const auto memory = std::make_unique_for_overwrite<unsigned char[]>(apart + sizeof(mortise::mutex) * 2);
  void* at = memory.get();
  std::size_t room = 2 * sizeof(mortise::mutex);
  auto* const low =
      new (std::align(alignof(mortise::mutex), sizeof(mortise::mutex), at, room)) mortise::mutex;
  auto* const high = new (static_cast<unsigned char*>(at) + apart) mortise::mutex;
  low->lock();
  EXPECT_TRUE(nobody_is_known(*high));
  std::thread{[&] {
    high->lock();
    EXPECT_EQ(holder_of(high)->who, me());
    if (const auto h = holder_of(low)) EXPECT_NE(h->who, me());
    high->unlock();
  }}.join();
  low->unlock();
  EXPECT_TRUE(nobody_is_known(*low));
}

// The bug: a lock or unlock that is under way as keeping begins or ends leaves somebody in the table who does not hold it; or one of them, which
// goes the other way, is lost.
TEST(holder_table, says_nothing_wrong_while_it_is_kept_and_forgotten_under_load) {
  constexpr std::size_t many = 3;
  constexpr int at_least = 20'000;
  std::array<mortise::mutex, 2> locks;
  std::array<std::uint64_t, 2> taken{};  // each guarded by its lock
  std::atomic<bool> over{false};
  std::atomic<int> known{0}, wrong{0};
  std::atomic<std::uint64_t> sections{0};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < many; ++i) {
    threads.emplace_back([&, i] {
      std::uint64_t mine = 0;
      for (std::size_t k = i; !over; ++k, ++mine) {
        const std::size_t which = k % locks.size();
        if (k % 7 == 0) {
          while (!locks[which].try_lock()) std::this_thread::yield();
        } else {
          locks[which].lock();
        }
        ++taken[which];
        if (const auto h = holder_of(&locks[which])) {
          ++known;
          if (h->who != me()) ++wrong;
        }
        locks[which].unlock();
      }
      sections += mine;
    });
  }
  int rounds = 0;
  for (const auto end = std::chrono::steady_clock::now() + 20s;
       (known < at_least || rounds < 100) && std::chrono::steady_clock::now() < end; ++rounds) {
    const kept on;
    std::this_thread::sleep_for(1ms);
  }
  over = true;
  threads.clear();
  EXPECT_GT(known, 0);
  EXPECT_EQ(wrong, 0) << "of " << known << " looks in " << rounds << " rounds";
  EXPECT_EQ(taken[0] + taken[1], sections);
}

// The bug: who looks on sees a holder's parker before it has been made, or while another thread makes it its own. ThreadSanitizer tells.
TEST(holder_table, holders_that_come_and_go_may_be_asked_who_they_are) {
  const kept on;
  mortise::mutex m;
  std::atomic<int> seen{0};
  std::jthread looks{[&](const std::stop_token& over) {
    while (!over.stop_requested()) {
      const auto h = holder_of(&m);
      if (h && h->who != nullptr && h->who->id() != 0) ++seen;
    }
  }};
  for (int round = 0; round < 3; ++round) {
    std::vector<std::jthread> holders;
    for (int i = 0; i < 20; ++i) {
      holders.emplace_back([&] {
        const std::lock_guard hold{m};
        for (const int before = seen; seen == before;) std::this_thread::yield();
      });
    }
  }
}

// The bug: what is left from when it was kept before is told until it is cleared; or what is freed as it ends.
TEST(holder_table, says_nothing_wrong_to_who_holds_it_while_that_begins_and_ends) {
  if (MORTISE_IS_CHECKED) GTEST_SKIP() << "known at all times";
  mortise::mutex m;
  std::atomic<bool> over{false}, is_free{false}, looks{false};
  std::atomic<int> wrong{0};
  std::thread other{[&] {
    while (!over) {
      if (!is_free) {
        std::this_thread::yield();
        continue;
      }
      const std::lock_guard hold{m};
      looks = true;
      while (is_free) {
        if (const auto h = holder_of(&m); h && h->who != me()) ++wrong;
      }
      looks = false;
    }
  }};
  for (int i = 0; i < 1'000 && wrong == 0; ++i) {
    {
      const kept on;
      m.lock();
    }
    m.unlock();  // which nobody sees
    is_free = true;
    while (!looks) std::this_thread::yield();
    { const kept again; }
    is_free = false;
    while (looks) std::this_thread::yield();
  }
  over = true;
  other.join();
  EXPECT_EQ(wrong, 0);
}

// The bug: a child cannot lock, or knows nothing of what the forking thread holds.
TEST(holder_table, is_there_in_the_child_of_a_fork) {
  const kept on;
  mortise::mutex m, n;
  m.lock();
  const pid_t child = ::fork();
  if (child == 0) {
    bool fine = holder_of(&m) && holder_of(&m)->who == me();
    n.lock();
    fine = fine && holder_of(&n) && holder_of(&n)->who == me();
    n.unlock();
    m.unlock();
    ::_exit(fine && nobody_is_known(m) ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  m.unlock();
}

// The bug: a fork and who begins to keep holders wait for each other's locks.
TEST(holder_table, lets_others_fork_while_it_is_kept_and_forgotten) {
  std::atomic<bool> over{false};
  std::thread switches{[&] {
    while (!over) const kept on;
  }};
  bool fine = true;
  for (int i = 0; fine && i < 300; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      const kept on;
      mortise::shared_mutex m;
      m.lock();
      ::_exit(mortise::lock_detail::takers_of(&m).size() == 1 ? 0 : 1);
    }
    int status = -1;
    fine = ::waitpid(child, &status, 0) == child && status == 0;
  }
  over = true;
  switches.join();
  EXPECT_TRUE(fine);
}

}  // namespace
