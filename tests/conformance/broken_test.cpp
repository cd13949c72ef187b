// The suite finds broken locks: each of broken_locks.hpp is run through the test of the promise that it breaks, and has to be
// reported, to crash or to hang there.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

enum class verdict { passed, reported, crashed, hung };
std::ostream& operator<<(std::ostream& out, verdict v) {
  constexpr const char* names[] = {"passed", "reported", "crashed", "hung"};
  return out << names[static_cast<int>(v)];
}

struct outcome {
  verdict what = verdict::passed;
  std::string text;
};

std::string contents_of(const char* file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// Runs one case of the suite, for `patience` at most from when it has begun.
outcome run(const std::string& test, std::chrono::seconds patience) {
  char log[] = "conformance_XXXXXX";
  const int file = ::mkstemp(log);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setpgid(0, 0);
    ::dup2(file, 1);
    ::dup2(file, 2);
    const std::string filter = "--gtest_filter=" + test;
    ::execl(MORTISE_SUITE, MORTISE_SUITE, filter.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(file);
  int status = 0;
  bool began = false, hung = false;
  auto end = std::chrono::steady_clock::now() + 60s;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (!began) {
      began = contents_of(log).find("[ RUN      ] " + test) != std::string::npos;
      if (began) end = std::chrono::steady_clock::now() + patience;
    }
    if (std::chrono::steady_clock::now() > end && !std::exchange(hung, true)) ::kill(-child, SIGKILL);
    std::this_thread::sleep_for(5ms);
  }
  const std::string text = contents_of(log);
  ::unlink(log);
  EXPECT_NE(text.find("[ RUN      ] " + test), std::string::npos) << "there is no such case: " << test << "\n"
                                                                  << text;
  if (hung) return {verdict::hung, text};
  if (!WIFEXITED(status)) return {verdict::crashed, text};
  return {WEXITSTATUS(status) == 0 ? verdict::passed : verdict::reported, text};
}

struct control {
  const char* lock;
  const char* suite;
  const char* test;
  // Most are reported. Those that wait for ever cost the test two seconds.
  bool hangs = false;

  friend std::ostream& operator<<(std::ostream& out, const control& c) {
    return out << c.lock << " in " << c.suite << "." << c.test;
  }
};

std::string full_name(const control& c, const char* lock) {
  return std::string(c.suite) + "/" + lock + "." + c.test;
}

class broken : public testing::TestWithParam<control> {};

TEST_P(broken, lock_is_found_out) {
  const control& c = GetParam();
  outcome o;
  // Two that are not kept apart meet by chance: on a busy machine not every time.
  for (int i = 0; i < 40 && o.what == verdict::passed && !HasFailure(); ++i) {
    o = run(full_name(c, c.lock), c.hangs ? 2s : 60s);
  }
  EXPECT_NE(o.what, verdict::passed) << o.text;
  if (!c.hangs) EXPECT_NE(o.what, verdict::hung) << o.text;
  RecordProperty("verdict", testing::PrintToString(o.what));
}

constexpr control controls[] = {
    {"broken_no_exclusion", "exclusion", "one_holder_at_a_time"},
    {"broken_no_exclusion", "exclusion", "nothing_is_lost_among_all_kinds"},
    {"broken_no_exclusion", "pairs", "holder_hands_over_to_waiter"},
    {"broken_no_exclusion", "pairs", "two_take_turns"},
    {"broken_deaf_to_fibers", "pairs", "holder_hands_over_to_waiter", true},
    {"broken_no_exclusion", "lockable_lock", "try_lock_fails_while_another_holds"},
    {"broken_try_lock_waits", "lockable_lock", "try_lock_fails_while_another_holds", true},
    {"broken_try_lock_waits", "together", "many_are_taken_in_opposite_orders", true},
    {"broken_try_lock_waits", "together", "try_lock_of_many_is_all_or_nothing", true},
    {"broken_gives_up_early", "timed_lock", "gives_up_at_its_deadline_and_not_before"},
    {"broken_gives_up_early", "timed_lock", "far_deadlines_are_waited_for"},
    {"broken_trusts_a_clock", "timed_lock", "another_clock_is_looked_at_again"},
    {"broken_stays_queued", "timed_pairs", "waiter_that_times_out_leaves_it_usable", true},
    {"broken_leaks_to_the_late", "timed_pairs", "deadlines_and_grants_race_and_nothing_is_leaked", true},
    {"broken_touches_after_release", "next_holder", "may_free_it_at_once"},
    {"broken_touches_after_release", "next_holder", "may_be_of_any_kind"},
    {"broken_ends_with_its_destructor", "global_lock", "works_until_the_very_end"},
    {"broken_belongs_to_its_process", "forked", "child_uses_what_nobody_holds"},
    {"broken_belongs_to_its_process", "forked", "child_unlocks_what_the_forking_thread_holds"},
    {"broken_keeps_it_after_a_throw", "thrown", "out_of_a_section_frees_the_lock"},
    {"broken_belongs_to_its_thread", "migration", "fiber_locks_on_one_worker_and_unlocks_on_another", true},
    {"broken_counts_in_a_byte", "crowd", "is_served_to_the_last_and_each_once", true},
    {"broken_last_come_first_served", "order", "of_threads_is_kept"},
    {"broken_last_come_first_served", "order", "of_all_kinds_is_kept"},
};
INSTANTIATE_TEST_SUITE_P(control, broken, testing::ValuesIn(controls), [](const auto& c) {
  return std::string(c.param.lock) + "_in_" + c.param.suite + "_" + c.param.test;
});

// The control of the controls: the one without a fault passes what its kin fail.
struct sound_case {
  const char* test;
  const char* name;
};
class not_broken : public testing::TestWithParam<sound_case> {};
TEST_P(not_broken, lock_passes) {
  const outcome o = run(GetParam().test, 120s);
  EXPECT_EQ(o.what, verdict::passed) << o.text;
}
constexpr sound_case sound_cases[] = {
    {"pairs/broken_not.holder_hands_over_to_waiter", "pairs"},
    {"timed_pairs/broken_not.waiter_that_times_out_leaves_it_usable", "timed_pairs"},
    {"timed_pairs/broken_not.deadlines_and_grants_race_and_nothing_is_leaked", "races"},
    {"crowd/broken_not.is_served_to_the_last_and_each_once", "crowd"},
    {"order/broken_not.of_threads_is_kept", "order"},
    {"migration/broken_not.fiber_locks_on_one_worker_and_unlocks_on_another", "migration"},
};
INSTANTIATE_TEST_SUITE_P(control, not_broken, testing::ValuesIn(sound_cases),
                         [](const auto& c) { return std::string(c.param.name); });

}  // namespace
