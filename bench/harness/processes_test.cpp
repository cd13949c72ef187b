// What the figures of locks of processes rest on: that one which loses is found out, and that a process that fails is heard.
#include <bench/harness/forked.hpp>
#include <bench/harness/keys.hpp>
#include <bench/harness/robust.hpp>
#include <bench/kind/mortise_tasks.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/processes_command.hpp>
#include <bench/workload/processes_contended.hpp>
#include <bench/workload/processes_takeover.hpp>
#include <bench/workload/processes_uncontended.hpp>
#include <bench/workload/processes_value.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bench {
namespace {

using testing::HasSubstr;
using os = threads<void>;

// "none", or what it throws.
std::string run(void (*workload)(keys&, json_line&), std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (std::string& w : words) pointers.push_back(w.data());
  keys given{static_cast<int>(pointers.size()), pointers.data()};
  json_line line{"test"};
  try {
    workload(given, line);
  } catch (const std::exception& e) {
    return e.what();
  }
  return "none";
}

std::uint64_t& counter_of(std::uint64_t& n) { return n; }
std::uint64_t& counter_of(eight_numbers& n) { return n.back(); }
std::uint64_t& counter_of(processes_contended_detail::guarded& g) { return g.value; }

// Keeps others out, but takes back every hundredth change, as a lost update would.
template <class Guarded>
struct lossy_lock : robust_lock<Guarded> {
  class handle : public robust_lock<Guarded>::handle {
   public:
    using robust_lock<Guarded>::handle::handle;
    void unlock() {
      if (++m_unlocks % 100 == 0) --counter_of(this->guarded());
      robust_lock<Guarded>::handle::unlock();
    }

   private:
    int m_unlocks = 0;
  };
};

TEST(processes, a_lock_that_loses_changes_is_found_out) {
  EXPECT_THAT(run(processes_uncontended<os, lossy_lock>, {"iterations:4000"}), HasSubstr("does not add up"));
  EXPECT_THAT(run(processes_update<os, value_under<lossy_lock>>, {"iterations:4000"}),
              HasSubstr("does not add up"));
  EXPECT_THAT(run(processes_read<os, value_under<lossy_lock>>, {"iterations:4000"}),
              HasSubstr("does not add up"));
  EXPECT_THAT(run(processes_contended<os, lossy_lock>, {"processes:2", "for_ms:10"}),
              HasSubstr("the counter holds"));
}

// Everybody has it.
template <class Guarded>
struct no_lock : robust_lock<Guarded> {
  struct handle : robust_lock<Guarded>::handle {
    using robust_lock<Guarded>::handle::handle;
    void lock() {}
    void unlock() {}
  };
};

// Keeps others out, but does not tell of deaths.
template <class Guarded>
struct silent_lock : robust_lock<Guarded> {
  struct handle : robust_lock<Guarded>::handle {
    using robust_lock<Guarded>::handle::handle;
    bool owner_died() { return false; }
  };
};

TEST(processes, who_takes_over_before_the_kill_or_without_being_told_is_found_out) {
  EXPECT_THAT(run(processes_takeover<os, no_lock>, {"samples:1"}), HasSubstr("a lock that was held"));
  EXPECT_THAT(run(processes_takeover<os, silent_lock>, {"samples:1"}), HasSubstr("was not told"));
}

TEST(processes, a_sound_lock_passes) {
  EXPECT_EQ(run(processes_uncontended<os, robust_lock>, {"iterations:4000"}), "none");
  EXPECT_EQ(run(processes_update<os, value_under<robust_lock>>, {"iterations:4000"}), "none");
  EXPECT_EQ(run(processes_read<os, value_under<robust_lock>>, {"iterations:4000"}), "none");
  EXPECT_EQ(run(processes_contended<os, robust_lock>, {"processes:2", "for_ms:10"}), "none");
  EXPECT_EQ(run(processes_contended<os, robust_lock>, {"processes:2", "parties:3", "yields:1", "for_ms:10"}),
            "none");
  EXPECT_EQ(run(processes_contended<os, robust_lock>, {"processes:2", "held_ns:2000", "for_ms:10"}), "none");
  EXPECT_EQ(run(processes_takeover<os, robust_lock>, {"samples:2", "resident_mb:1"}), "none");
}

// The bug: one of the processes crashes at its start, and the others are waited for until the time is over.
TEST(processes, one_that_fails_is_heard) {
  const auto said = [](auto body) -> std::string {
    forked f{body};
    try {
      f.join();
    } catch (const std::runtime_error& e) {
      return e.what();
    }
    return "none";
  };
  EXPECT_EQ(said([] {}), "none");
  EXPECT_EQ(said([] { throw std::runtime_error("no room"); }), "no room");
  EXPECT_THAT(said([] { ::raise(SIGKILL); }), HasSubstr("a process ended with status 9"));
}

// The bug: waits and what a process counted are lost, or added up wrongly, on their way to who measures.
TEST(processes, durations_survive_their_process) {
  processes_contended_detail::left_behind left;
  durations own, sum;
  for (int i = 0; i < 99; ++i) own.record(100);
  own.record(5'000'000'003);
  left.keep(own);
  left.add_to(sum);
  EXPECT_EQ(sum.total(), 100u);
  EXPECT_EQ(sum.quantile(0.5), own.quantile(0.5));
  EXPECT_EQ(sum.longest(), own.longest());
}

TEST(processes, a_command_that_fails_is_named) {
  EXPECT_THAT(
      run(processes_command, {"samples:1", "command:/bin/false"}),
      testing::AnyOf(HasSubstr("/bin/false ended with status"), "none"));  // none: flock(1) is missing
}

}  // namespace
}  // namespace bench
