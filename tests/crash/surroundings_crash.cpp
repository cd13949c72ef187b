// What the system around a shared value may do to it: no room, no descriptors, a file that somebody cuts short, and other
// namespaces, in which one process has the number of another.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <optional>
#include <system_error>

#include <mortise/mortise.hpp>
#include <mortise/shm/guarded.hpp>
#include <support/runtime_place.hpp>

#include "refusal.hpp"
#include "stage.hpp"

extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }

namespace crash {
namespace {

using namespace std::chrono_literals;
namespace shm = mortise::shm;
using mortise::outcome;

struct counters {
  std::uint64_t n = 0;
};

enum : int { fine = 0, cannot = 77 };

// UndefinedBehaviorSanitizer asks by a pipe whether an object is there before it believes in its type: there is no descriptor for one here.
__attribute__((no_sanitize("vptr"))) int number_of(const std::system_error& e) { return e.code().value(); }

// What opening says, as an error number; 0: nothing.
template <class T = counters>
int opening(const shm::place& where) {
  try {
    shm::guarded<T> g{where};
    return 0;
  } catch (const std::system_error& e) {
    return number_of(e);
  }
}

// From here on the process has no descriptor to spare. The last one that it has.
int without_descriptors() {
  rlimit few{};
  ::getrlimit(RLIMIT_NOFILE, &few);
  few.rlim_cur = 100;
  ::setrlimit(RLIMIT_NOFILE, &few);
  int last = -1;
  for (int fd; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) last = fd;
  return last;
}

// The bug: a region in a file without room, and a SIGBUS wherever it is first touched.
TEST(surroundings, without_room_nothing_is_made) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may mount";
  const mortise::test::runtime_place directory;
  child c{[&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=16k,mode=0700") != 0)
      return int{cannot};
    if (opening("big") != ENOSPC) return 1;
    if (directory.entries().size() != 0) return 2;
    // with room again
    if (::mount("tmpfs", directory.path().c_str(), "tmpfs", MS_REMOUNT, "size=4m") != 0) return int{cannot};
    if (opening("big") != 0) return 3;
    return int{fine};
  }};
  const int how = c.wait();
  if (how == cannot) GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(how, fine);
}

TEST(surroundings, beyond_the_limit_of_a_files_size_nothing_is_made) {
  const mortise::test::runtime_place directory;
  child c{[&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{16'384, 16'384};
    ::setrlimit(RLIMIT_FSIZE, &small);
    if (opening("big") != EFBIG) return 1;
    if (directory.entries().size() != 0) return 2;
    return int{fine};
  }};
  EXPECT_EQ(c.wait(), fine);
}

// The bug: what needs a descriptor fails silently, or what needs none fails.
TEST(surroundings, without_descriptors_opening_fails_and_what_is_open_works) {
  const mortise::test::runtime_place directory;
  shm::guarded<counters> value{shm::place::anonymous()};
  const auto increment = [&] {
    return value.try_update_for(long_enough, [](counters& c) { return ++c.n; }).value.value_or(0);
  };
  EXPECT_EQ(increment(), 1u);
  child c{[&] {
    if (increment() != 2) return 1;  // it has joined
    const auto few = without_descriptors();
    if (opening("named") != EMFILE) return 2;
    if (opening(shm::place::anonymous()) != EMFILE) return 3;
    if (increment() != 3) return 4;
    ::close(few);
    ::close(few - 1);
    ::close(few - 2);
    ::close(few - 3);
    if (opening("named") != 0) return 5;
    return int{fine};
  }};
  EXPECT_EQ(c.wait(), fine);
  EXPECT_EQ(increment(), 4u);
}

// The bug: a child that has no descriptor to spare as it is forked believes that it takes part, or keeps its parent alive.
TEST(surroundings, a_child_that_was_forked_without_descriptors_says_so) {
  shm::guarded<counters> value{shm::place::anonymous()};
  flags f;
  child parent{[&] {
    mortise::runtime_options o;
    o.workers = 1;
    o.stall_report = 0ms;
    mortise::runtime runtime{o};
    mortise::task_scope tasks{runtime};
    tasks.go([&] {
      value.update([&](counters& c) {
        ++c.n;
        without_descriptors();
        if (::fork() == 0) {
          ::alarm(100);
          try {
            value.update([](counters& v) { v.n = 100; });
          } catch (const std::system_error& e) {
            if (number_of(e) == EMFILE) f.raise(1);
          }
          f.raise(0);
          if (!f.wait_for(2)) f.raise(3);
          ::_exit(0);
        }
        f.wait_for(15);
      });
    });
    tasks.join();
    return 0;
  }};
  ASSERT_TRUE(f.wait_for(0));
  EXPECT_TRUE(f.is_up(1));
  parent.kill();
  const auto after = value.try_update_for(long_enough, [](counters& c) { return c.n; });
  EXPECT_FALSE(f.is_up(3)) << "the lock was to be had when the child was gone, too";
  f.raise(2);
  ASSERT_TRUE(after);
  EXPECT_EQ(after.how, outcome::owner_died);
  EXPECT_EQ(*after.value, 0u);
}

// Documented: whoever touches what was cut off gets SIGBUS. The bug: a later one takes what is left for a region.
TEST(surroundings, a_file_that_somebody_cuts_short_is_refused) {
  const mortise::test::runtime_place directory;
  std::optional<shm::guarded<counters>> value{"cut"};
  value->update([](counters& c) { ++c.n; });
  for (const off_t left : {off_t{8'192}, off_t{4'096}, off_t{100}, off_t{0}}) {
    std::filesystem::resize_file(directory.path("cut"), static_cast<std::uintmax_t>(left));
    EXPECT_THROW(shm::guarded<counters>{"cut"}, shm::error) << left;
  }
  if (!mortise::sanitized) {
    child c{[&] {
      value->update([](counters& v) { ++v.n; });
      return 0;
    }};
    EXPECT_EQ(c.wait(), -SIGBUS);
  }
  new (&value) std::optional<shm::guarded<counters>>;  // closing it would touch it
}

TEST(surroundings, memory_without_a_name_cannot_be_cut_short) {
  shm::guarded<counters> value{shm::place::anonymous()};
  const int fd = value.where().descriptor();
  EXPECT_EQ(::ftruncate(fd, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 0), -1);
  value.update([](counters& c) { ++c.n; });
  EXPECT_EQ(value.read([](const counters& c) { return c.n; }), 1u);
}

// Processes that are both number 1, each in a namespace of its own, as in two containers.
class namespaces : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (mortise::test::emulated()) GTEST_SKIP() << "the emulator ends in a child that starts threads";
    child c{[] { return ::unshare(CLONE_NEWPID) == 0 ? int{fine} : int{cannot}; }};
    if (c.wait() == cannot) GTEST_SKIP() << "only root may make a namespace";
  }

  static constexpr int refused = 10;

  // Runs f in a namespace, as its first process. What it is outside is in number(i).
  template <class F>
  child first_in_a_namespace(unsigned i, F f) {
    return child{[&, i, f] {
      if (::unshare(CLONE_NEWPID) != 0) return int{cannot};
      const pid_t inner = ::fork();
      if (inner == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (m_flags.number(i).load() == 0) std::this_thread::sleep_for(1ms);
        ::_exit(::getpid() == 1 ? f() : 50);
      }
      m_flags.number(i).store(static_cast<std::uint64_t>(inner));
      int status = 0;
      while (::waitpid(inner, &status, 0) != inner) {}
      return WIFSIGNALED(status) ? 100 + WTERMSIG(status) : WEXITSTATUS(status);
    }};
  }
  void kill(unsigned i) const {
    const auto pid = static_cast<pid_t>(m_flags.number(i).load());
    ASSERT_GT(pid, 1);
    ::kill(pid, SIGKILL);
  }

  // Calls f with a handle on a fiber, behind a keeper, or on the thread.
  template <class F>
  static int with_value(F f) {
    try {
      shm::guarded<counters> mine{"value"};
      if (!GetParam()) return f(mine);
      mortise::runtime_options o;
      o.workers = 1;
      o.stall_report = 0ms;
      mortise::runtime runtime{o};
      mortise::task_scope tasks{runtime};
      int how = 0;
      tasks.go([&] { how = f(mine); });
      tasks.join();
      return how;
    } catch (const shm::error&) {
      return refused;
    }
  }
  child holder(unsigned i, unsigned inside, unsigned over) {
    return first_in_a_namespace(i, [this, inside, over] {
      return with_value([&](auto& mine) {
        mine.update([&](counters& c) {
          ++c.n;
          m_flags.raise(inside);
          m_flags.wait_for(over);
        });
        return 0;
      });
    });
  }

  const mortise::test::runtime_place m_directory;
  flags m_flags;
};

INSTANTIATE_TEST_SUITE_P(of, namespaces, testing::Bool(),
                         [](const auto& i) { return i.param ? "fibers" : "threads"; });

// The bug: a dead holder counts as alive since there is a process of its number: here it is init's.
TEST_P(namespaces, a_death_is_noticed_though_one_of_the_same_number_lives) {
  child dying = holder(0, 0, 15);
  ASSERT_TRUE(m_flags.wait_for(0));
  kill(0);
  EXPECT_EQ(dying.wait(), 100 + SIGKILL);
  shm::guarded<counters> mine{"value"};
  const auto r = mine.try_update_for(long_enough, [](counters& c) { return c.n; });
  ASSERT_TRUE(r);
  EXPECT_EQ(r.how, outcome::owner_died);
  EXPECT_EQ(*r.value, 0u);
}

// The bug: whoever has the number of the holder believes that it holds the lock itself, or, when it dies, the kernel believes so.
// To be refused is as good as to wait.
TEST_P(namespaces, those_of_the_same_number_keep_each_other_out) {
  child first = holder(0, 0, 1);
  ASSERT_TRUE(m_flags.wait_for(0));
  child second = first_in_a_namespace(1, [&] {
    return with_value([&](auto& mine) {
      if (mine.try_update_for(100ms, [](counters&) {}).how != outcome::timed_out) return 1;
      m_flags.raise(2);
      mine.update([](counters&) {});
      return 2;
    });
  });
  while (!m_flags.is_up(2) && !second.gone()) std::this_thread::sleep_for(1ms);
  if (m_flags.is_up(2)) {
    std::this_thread::sleep_for(20ms);  // it waits by now
    kill(1);
    EXPECT_EQ(second.wait(), 100 + SIGKILL);
    child third = first_in_a_namespace(2, [&] {
      return with_value([](auto& mine) {
        return mine.try_update_for(200ms, [](counters&) {}).how == outcome::timed_out ? 0 : 1;
      });
    });
    EXPECT_EQ(third.wait(), 0) << "the death of a waiter frees the lock of a living holder";
  } else {
    EXPECT_EQ(second.wait(), refused);
  }
  m_flags.raise(1);
  EXPECT_EQ(first.wait(), 0);
}

}  // namespace
}  // namespace crash
