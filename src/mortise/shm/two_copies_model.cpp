// The two copies of a shared value under every schedule: readers without a lock, and writers that hold it or die with it.
#include <mortise/shm/two_copies.hpp>

#include <mutex>

#include <mortise/base/os_mutex.hpp>

#include <explore/verify.hpp>

// A writer that is killed with some of its words written, or all, and no commit.
namespace mortise::inline MORTISE_ABI::shm {
class two_copies_probe {
 public:
  template <class T>
  static void die_after(two_copies<T>& of, const T& value, std::size_t words) {
    of.fill(of.m_copies[(of.m_commits.load(memory_order_relaxed) + 1) & 1], value, words);
  }
};
}  // namespace mortise::inline MORTISE_ABI::shm

namespace {

using explore::require;
using explore::scoped_thread;

struct pair {
  std::uint64_t a, b;
};

struct shared {
  mortise::os_mutex lock;  // stands for the region's
  mortise::shm::two_copies<pair> value{pair{1, 1}};

  void write() {
    const std::lock_guard hold{lock};
    const pair now = value.latest();
    value.commit({now.a + 1, now.b + 1});
  }
};

// The value, whole, and not older than `least`: what it was is returned.
std::uint64_t look(const shared& s, std::uint64_t least, std::uint64_t most) {
  const auto seen = s.value.try_read(2);
  if (!seen) return least;
  require(seen->a == seen->b, "half of one commit and half of another");
  require(seen->a >= least && seen->a <= most, "a value that was not, or is no more");
  return seen->a;
}

// The bug: a reader's copy is filled while it reads it.
EXPLORE(two_copies, a_reader_sees_one_commit_or_the_other, {.preemptions = 4, .deviations = 2}) {
  shared s;
  scoped_thread writer{"writer", [&] {
                         s.write();
                         s.write();
                       }};
  look(s, 1, 3);
  writer.join();
  require(s.value.try_read()->a == 3, "with no writer about it is read at once");
}

EXPLORE(two_copies, a_reader_goes_forward_only, {.preemptions = 3, .deviations = 2}) {
  shared s;
  scoped_thread writer{"writer", [&] {
                         s.write();
                         s.write();
                         s.write();
                       }};
  look(s, look(s, 1, 4), 4);
  writer.join();
  look(s, 4, 4);
}

// The bug: the order between two writers, which the lock makes, does not reach who reads without it.
EXPLORE(two_copies, two_writers_and_a_reader, {.preemptions = 3, .deviations = 2}) {
  shared s;
  scoped_thread one{"one", [&] {
                      s.write();
                      s.write();
                    }};
  scoped_thread other{"other", [&] { s.write(); }};
  look(s, 1, 4);
  one.join();
  other.join();
  require(s.value.try_read()->a == 4, "no commit is lost");
}

// The bug: what a dead writer left behind is taken for the value.
EXPLORE(two_copies, a_dead_writers_scrap_is_never_seen, {.preemptions = 3, .deviations = 2}) {
  shared s;
  scoped_thread writer{"writer", [&] {
                         const std::lock_guard until_the_kernel_frees_it{s.lock};
                         mortise::shm::two_copies_probe::die_after(s.value, {77, 78}, 1);
                       }};
  scoped_thread next{"next", [&] {
                       s.write();
                       s.write();
                     }};
  look(s, 1, 3);
  writer.join();
  next.join();
  require(s.value.try_read()->a == 3, "the living commit as ever");
}

// The bug: it is dead, and its commit is undone or done twice.
EXPLORE(two_copies, dead_behind_its_commit_it_has_changed_all, {.preemptions = 3, .deviations = 2}) {
  shared s;
  scoped_thread writer{"writer", [&] {
                         const std::lock_guard until_the_kernel_frees_it{s.lock};
                         s.value.commit({2, 2});
                         mortise::shm::two_copies_probe::die_after(s.value, {77, 77}, 2);
                       }};
  look(s, 1, 2);
  writer.join();
  s.write();
  look(s, 3, 3);
}

// Controls: the same reader with one thing missing.
template <std::memory_order Store, std::memory_order Load, bool LooksTwice>
struct weaker {
  mortise::atomic<std::uint64_t> commits{0}, a[2]{}, b[2]{};
  void write(std::uint64_t v) {
    const auto n = commits.load(std::memory_order_relaxed) + 1;
    a[n & 1].store(v, Store);
    b[n & 1].store(v, Store);
    commits.store(n, std::memory_order_release);
  }
  void look() const {
    const auto n = commits.load(std::memory_order_acquire);
    const auto seen_a = a[n & 1].load(Load), seen_b = b[n & 1].load(Load);
    if (LooksTwice && commits.load(std::memory_order_relaxed) != n) return;
    require(seen_a == seen_b, "half of one commit and half of another");
  }
};
template <class Weaker>
void read_while_written() {
  Weaker s;
  scoped_thread writer{"writer", [&] {
                         s.write(1);
                         s.write(2);
                         s.write(3);
                       }};
  s.look();
  writer.join();
}
constexpr auto relaxed = std::memory_order_relaxed, acquire = std::memory_order_acquire,
               release = std::memory_order_release;

EXPLORE(two_copies, this_is_how_it_is_read, {.preemptions = 3, .deviations = 3}) {
  read_while_written<weaker<release, acquire, true>>();
}
EXPLORE_FAULT(two_copies, who_does_not_look_again_sees_a_mix, "half of one", {.preemptions = 3}) {
  read_while_written<weaker<release, acquire, false>>();
}
EXPLORE_FAULT(two_copies, words_that_release_nothing_show_a_mix, "half of one",
              {.preemptions = 3, .deviations = 3, .tso = false}) {
  read_while_written<weaker<relaxed, acquire, true>>();
}
EXPLORE_FAULT(two_copies, words_that_acquire_nothing_show_a_mix, "half of one",
              {.preemptions = 3, .deviations = 3, .tso = false}) {
  read_while_written<weaker<release, relaxed, true>>();
}

}  // namespace
