// What the figures of all contenders rest on: the histogram's error, the keys, and that a lock that loses is found out.
#include <mortise/lock/shared_mutex.hpp>

#include <bench/harness/durations.hpp>
#include <bench/harness/keys.hpp>
#include <bench/kind/mortise_tasks.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/burst.hpp>
#include <bench/workload/condition.hpp>
#include <bench/workload/contended.hpp>
#include <bench/workload/hog.hpp>
#include <bench/workload/read_mostly.hpp>
#include <bench/workload/rw_uncontended.hpp>
#include <bench/workload/seed.hpp>
#include <bench/workload/timeout_storm.hpp>
#include <bench/workload/try_for.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <shared_mutex>

namespace bench {
namespace {

using testing::HasSubstr;

// The bug: a bucket too wide, or neighbours that overlap: percentiles off by more than they say.
TEST(durations, a_bucket_is_no_wider_than_two_per_cent_of_what_is_in_it) {
  unsigned last = 0;
  for (std::uint64_t n = 1; n < (std::uint64_t{1} << 40); n += 1 + n / 97) {
    const unsigned bucket = durations::bucket_of(n);
    EXPECT_GE(bucket, last);
    last = bucket;
    EXPECT_GE(durations::top_of(bucket), n);
    EXPECT_LE(static_cast<double>(durations::top_of(bucket)), static_cast<double>(n) * 1.02);
    EXPECT_EQ(durations::bucket_of(durations::top_of(bucket)), bucket);
    EXPECT_EQ(durations::bucket_of(durations::top_of(bucket) + 1), bucket + 1);
  }
}

TEST(durations, a_quantile_is_the_smallest_that_so_many_do_not_exceed) {
  durations d;
  for (int i = 0; i < 999; ++i) d.record(10);
  d.record(1'000'000);
  EXPECT_EQ(d.quantile(0.5), 10u);
  EXPECT_EQ(d.quantile(0.999), 10u);
  EXPECT_EQ(d.quantile(0.9999), 1'000'000u);
  EXPECT_EQ(d.longest(), 1'000'000u);
  EXPECT_EQ(durations{}.quantile(0.5), 0u);
}

// The bug: a million short waits hide that all the time was spent in one long one.
TEST(durations, half_of_the_time_is_weighted_by_time) {
  durations d;
  for (int i = 0; i < 1'000; ++i) d.record(10);
  EXPECT_EQ(d.half_of_time(), 10u);
  d.record(50'000);
  EXPECT_EQ(d.half_of_time(), 50'000u);
  EXPECT_EQ(d.quantile(0.99), 10u);
}

// The bug: parties' waits added up lose those of all but the first.
TEST(durations, sums_have_all) {
  durations a, b;
  a.record(5);
  for (int i = 0; i < 3; ++i) b.record(50'000);
  a.add(b);
  EXPECT_EQ(a.total(), 4u);
  EXPECT_EQ(a.longest(), 50'000u);
  EXPECT_GE(a.quantile(0.5), 50'000u);
}

TEST(sampler, times_the_first_and_then_one_in_sixteen) {
  for (std::uint64_t seed : {0u, 1u, 77u}) {
    sampler s{seed};
    EXPECT_TRUE(s.due());
    int due = 0;
    for (int i = 0; i < 160'000; ++i) due += s.due();
    EXPECT_NEAR(due, 10'000, 500);
  }
}

keys with(std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (std::string& w : words) pointers.push_back(w.data());
  return {static_cast<int>(pointers.size()), pointers.data()};
}

template <class Run>
std::string error_of(Run run) {
  try {
    run();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "none";
}

// The bug: a key mistyped by the plan is ignored, and something else is measured than its name says.
TEST(keys, what_is_unknown_or_out_of_range_is_named) {
  EXPECT_EQ(error_of([] { with({"parties"}); }), "parties: is not of the form key:value");
  EXPECT_EQ(error_of([] { with({"a:1", "a:2"}); }), "a: given twice");
  EXPECT_EQ(error_of([] { with({"a:0"}).number("a", 1, 1, 9); }), "a: 0 is not in 1..9");
  EXPECT_EQ(error_of([] { with({"a:1x"}).number("a", 1, 1, 9); }), "a: 1x is not in 1..9");
  keys k = with({"a:3", "b:1"});
  EXPECT_EQ(k.number("a", 1, 1, 9), 3);
  EXPECT_EQ(k.number("c", 7, 1, 9), 7);
  EXPECT_EQ(error_of([&] { k.no_others(); }), "b: this workload has no such key");
}

// A lock that keeps others out, but takes back every hundredth increment, as a lost update would.
class lossy : public std::mutex {
 public:
  void unlock() {
    auto& whole = reinterpret_cast<guarded_counter<lossy>&>(*this);
    if (++m_unlocks % 100 == 0) --whole.value;
    std::mutex::unlock();
  }

 private:
  int m_unlocks = 0;
};

// Where nobody came to an end in the time, others may have had the processors: then there is ten times as much of it.
template <class Kind>
std::string run(void (*workload)(keys&, json_line&), std::vector<std::string> words) {
  std::string error;
  for (int tries = 0; tries < 4; ++tries) {
    error = error_of([&] {
      keys given = with(words);
      json_line line{"test"};
      workload(given, line);
    });
    if (!error.ends_with(" in the time")) break;
    for (std::string& word : words) {
      if (word.starts_with("for_ms:")) word += '0';
    }
  }
  return error;
}

// With a lock that is broken. On a busy machine its parties may hardly meet: a run in which nothing was found is done again.
template <class Kind>
std::string found_in(void (*workload)(keys&, json_line&), const std::vector<std::string>& words) {
  std::string error = "none";
  for (int tries = 0; tries < 20 && error == "none"; ++tries) error = run<Kind>(workload, words);
  return error;
}

// The control: with a lock that loses increments the same checks must fail.
TEST(workloads, a_lock_that_loses_increments_is_found_out) {
  using broken = threads<lossy>;
  EXPECT_THAT(found_in<broken>(contended<broken>, {"parties:2", "for_ms:10"}),
              HasSubstr("the counter holds"));
  EXPECT_THAT(found_in<broken>(hog<broken>, {"parties:2", "hog_ns:0", "for_ms:10"}),
              HasSubstr("the counter holds"));
  EXPECT_THAT(found_in<broken>(uncontended<broken>, {"iterations:20000"}), HasSubstr("does not add up"));
}

// Keeps others out, but takes back a part of every fourth write.
class half_written : public std::shared_mutex {
 public:
  void unlock() {
    auto& whole = reinterpret_cast<read_mostly_state<half_written>&>(*this);
    if (++m_unlocks % 4 == 0) --whole.value.back();
    std::shared_mutex::unlock();
  }

 private:
  int m_unlocks = 0;
};

// Gives a lock that is held to everybody who has waited for it for a while.
class impatient : public std::timed_mutex {
 public:
  bool try_lock_for(std::chrono::milliseconds d) {
    m_gave_in = !std::timed_mutex::try_lock_for(d);
    return true;
  }
  void unlock() {
    if (!m_gave_in.exchange(false)) std::timed_mutex::unlock();
  }

 private:
  std::atomic<bool> m_gave_in{false};
};

TEST(workloads, readers_let_in_beside_a_writer_and_grants_of_what_is_held_are_found_out) {
  using broken = threads<half_written>;
  EXPECT_THAT(found_in<broken>(read_mostly<broken>, {"parties:2", "reads:50", "for_ms:10"}),
              testing::AnyOf(HasSubstr("half of a write"), HasSubstr("a number holds")));
  using hasty = threads<impatient>;
  EXPECT_THAT(found_in<hasty>(timeout_storm<hasty>, {"parties:1", "deadline_ms:1", "for_ms:20"}),
              HasSubstr("got a lock that was held"));
}

// A board whose lock is kept, but of whose updates every fourth is forgotten.
struct forgetful_board : notify_all_board<std::mutex, std::condition_variable> {
  template <class F>
  void await_turn(unsigned me, F f) {
    notify_all_board::await_turn(me, [&](board_value& v) {
      f(v);
      v.updates -= v.updates % 4 == 0;
    });
  }
};

TEST(workloads, turns_that_were_no_updates_are_found_out) {
  using os = threads<std::mutex>;
  EXPECT_THAT(found_in<os>(condition<os, forgetful_board>, {"waiters:2", "for_ms:50"}),
              HasSubstr("the counter holds"));
}

// Each kind of party with each way to wait for it.
TEST(workloads, sound_locks_pass_on_every_kind) {
  using os = threads<std::mutex>;
  EXPECT_EQ(run<os>(contended<os>, {"parties:3", "for_ms:10"}), "none");
  EXPECT_EQ(run<os>(hog<os>, {"parties:3", "for_ms:10"}), "none");
  EXPECT_EQ(run<os>(burst<os>, {"parties:3", "for_ms:10"}), "none");
  EXPECT_EQ(run<os>(seed<os>, {"readers:3", "writers:2", "for_ms:10"}), "none");
  using fibers = mortise_fibers;
  EXPECT_EQ(run<fibers>(contended<fibers>, {"parties:3", "for_ms:10", "workers:2"}), "none");
  EXPECT_EQ(run<fibers>(burst<fibers>, {"parties:3", "for_ms:10", "workers:2"}), "none");
  using coroutines = mortise_coroutines;
  EXPECT_EQ(run<coroutines>(contended<coroutines>, {"parties:3", "for_ms:10", "workers:1"}), "none");
  EXPECT_EQ(run<coroutines>(burst<coroutines>, {"parties:3", "for_ms:10", "workers:1"}), "none");
  using sharing = threads<std::shared_mutex>;
  EXPECT_EQ(run<sharing>(rw_uncontended<sharing>, {"iterations:20000"}), "none");
  EXPECT_EQ(run<sharing>(read_mostly<sharing>, {"parties:3", "for_ms:10"}), "none");
  using sharing_fibers = mortise_tasks<mortise::shared_mutex>;
  EXPECT_EQ(run<sharing_fibers>(read_mostly<sharing_fibers>, {"parties:3", "for_ms:10"}), "none");
  using sharing_coroutines = mortise_tasks<mortise::shared_mutex, true>;
  EXPECT_EQ(run<sharing_coroutines>(read_mostly<sharing_coroutines>, {"parties:3", "for_ms:10"}), "none");
  using board = notify_all_board<std::mutex, std::condition_variable>;
  EXPECT_EQ(run<os>(condition<os, board>, {"waiters:3", "random:1", "for_ms:50"}), "none");
  EXPECT_EQ(run<coroutines>(try_for<coroutines>, {"iterations:40000"}), "none");
  EXPECT_EQ(run<fibers>(timeout_storm<fibers>, {"parties:10", "for_ms:40"}), "none");
  EXPECT_EQ(run<coroutines>(timeout_storm<coroutines>, {"parties:10", "for_ms:40"}), "none");
}

}  // namespace
}  // namespace bench
