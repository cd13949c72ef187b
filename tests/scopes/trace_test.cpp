// insight::trace as its viewers read it.
#include <mortise/insight/trace.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <mortise/mortise.hpp>
#include <nlohmann/json.hpp>

namespace {

namespace trace = mortise::insight::trace;
using nlohmann::json;
using namespace std::chrono_literals;

json traced() {
  std::ostringstream text;
  trace::write(text);
  return json::parse(text.str());
}

// In whole nanoseconds.
long long ns(const json& us) { return static_cast<long long>(us.get<double>() * 1000 + 0.5); }

struct slice {
  std::string name, category;
  long long begin, end;
  int process, thread;
  json arguments;
};

std::vector<slice> slices(const json& t) {
  std::vector<slice> all;
  for (const json& e : t["traceEvents"]) {
    if (e["ph"] != "X") continue;
    all.push_back({e["name"], e["cat"], ns(e["ts"]), ns(e["ts"]) + ns(e["dur"]), e["pid"], e["tid"],
                   e.value("args", json::object())});
  }
  return all;
}

using track = std::vector<slice>;  // in the order of their beginnings
std::map<std::pair<int, int>, track> tracks(const json& t) {
  std::map<std::pair<int, int>, track> all;
  for (slice& s : slices(t)) all[{s.process, s.thread}].push_back(std::move(s));
  for (auto& [where, on] : all) {
    std::sort(on.begin(), on.end(), [](const slice& a, const slice& b) { return a.begin < b.begin; });
  }
  return all;
}

// Of each arrow, the slices between which it is; those that lie nearest to its ends.
std::vector<std::pair<slice, slice>> arrows(const json& t) {
  const auto all = tracks(t);
  const auto around = [&](const json& flow) {
    const auto on = all.find({flow["pid"], flow["tid"]});
    const long long at = ns(flow["ts"]);
    if (on != all.end()) {
      for (auto s = std::upper_bound(on->second.begin(), on->second.end(), at,
                                     [](long long moment, const slice& one) { return moment < one.begin; });
           s != on->second.begin();) {
        if ((--s)->end >= at) return *s;
      }
    }
    ADD_FAILURE() << "in no slice: " << flow;
    return slice{};
  };
  std::map<int, json> begun;
  std::vector<std::pair<slice, slice>> between;
  for (const json& e : t["traceEvents"]) {
    if (e["ph"] == "s") EXPECT_TRUE(begun.emplace(e["id"], e).second);
    if (e["ph"] != "f") continue;
    EXPECT_EQ(e["bp"], "e");
    const auto from = begun.find(e["id"]);
    if (from == begun.end()) {
      ADD_FAILURE() << "comes from nowhere: " << e;
      continue;
    }
    EXPECT_LE(ns(from->second["ts"]), ns(e["ts"]));
    between.emplace_back(around(from->second), around(e));
    begun.erase(from);
  }
  EXPECT_TRUE(begun.empty()) << begun.size() << " arrows go nowhere";
  return between;
}

bool has_arrow(const json& t, const std::string& from, const std::string& to) {
  const auto all = arrows(t);
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& a) { return a.first.name == from && a.second.name == to; });
}

// TL2
void is_sound(const json& t) {
  for (const auto& [where, on] : tracks(t)) {
    for (std::size_t i = 1; i < on.size(); ++i) {
      EXPECT_LE(on[i].begin, on[i].end);
      EXPECT_GE(on[i].begin, on[i - 1].end) << on[i - 1].name << ", " << on[i].name;
    }
  }
  arrows(t);
}

long long time_of_tasks(const json& t) {
  long long sum = 0;
  for (const slice& s : slices(t)) {
    if (s.category == "fiber" || s.category == "coroutine") sum += s.end - s.begin;
  }
  return sum;
}

mortise::runtime_options workers(unsigned n) {
  mortise::runtime_options o;
  o.workers = n;
  return o;
}

// The bug: the picture shows another one as the waker, or the task that was running when the woken one had gone on.
TEST(trace, has_an_arrow_from_the_waker_to_the_woken) {
  mortise::runtime one{workers(1)};
  mortise::binary_semaphore turn{0};
  trace::start();
  {
    mortise::task_scope tasks{one};
    tasks.go([&] {
      mortise::this_task::name("woken");
      turn.acquire();
    });
    tasks.go([&] {
      mortise::this_task::name("bystander");
      mortise::yield();
    });
    tasks.go([&] {
      mortise::this_task::name("waker");
      mortise::yield();  // by now the other one sleeps: there is one worker
      turn.release();
    });
    tasks.join();
  }
  trace::stop();
  const json t = traced();
  is_sound(t);
  EXPECT_TRUE(has_arrow(t, "waker", "woken")) << t.dump(1);
  EXPECT_FALSE(has_arrow(t, "bystander", "woken"));
  EXPECT_FALSE(has_arrow(t, "woken", "waker"));
}

// The bug: nobody can tell from the picture what was waited for.
TEST(trace, tells_what_a_thread_waits_for_and_who_ends_that) {
  mortise::mutex m;
  trace::start();
  m.lock();
  std::jthread waiter{[&] { const std::lock_guard hold{m}; }};
  const auto waits = [] {
    const auto all = slices(traced());  // one that goes on lasts until now
    return std::any_of(all.begin(), all.end(), [](const slice& s) { return s.name == "waits: mutex"; });
  };
  for (int i = 0; i < 10'000 && !waits(); ++i) std::this_thread::sleep_for(1ms);
  m.unlock();
  waiter.join();
  trace::stop();
  const json t = traced();
  is_sound(t);
  std::ostringstream address;
  address << &m;
  const auto between = arrows(t);
  ASSERT_EQ(between.size(), 1u) << t.dump(1);
  EXPECT_EQ(between[0].second.name, "waits: mutex");
  EXPECT_EQ(between[0].second.arguments["lock"], address.str());
  EXPECT_EQ(between[0].second.arguments["kind"], "mutex");
  EXPECT_EQ(between[0].first.thread, ::gettid());
}

// The bug: a wait of a fiber is not there, or on the track of whoever ran meanwhile.
TEST(trace, has_a_track_for_each_task_that_waits) {
  mortise::runtime one{workers(1)};
  mortise::guarded<int> value{0};
  mortise::latch go{1};
  trace::start();
  {
    mortise::task_scope tasks{one};
    tasks.go([&] { go.wait(); });
    tasks.go([&]() -> mortise::task<> { co_await go.async_wait(); });
    tasks.go([&] { go.count_down(); });
    tasks.join();
  }
  trace::stop();
  const json t = traced();
  is_sound(t);
  std::map<int, int> waits;
  for (const slice& s : slices(t)) {
    if (s.name == "waits: latch") ++waits[s.thread];
    if (s.name == "waits: latch") EXPECT_NE(s.process, ::getpid());
  }
  EXPECT_EQ(waits.size(), 2u) << t.dump(1);
}

// The bug: slices overlap, or go on when the task has long left.
TEST(trace, is_sound_with_many_tasks_on_several_workers) {
  mortise::runtime two{workers(2)};
  mortise::mutex m;
  trace::start();
  {
    mortise::task_scope tasks{two};
    for (int i = 0; i < 20; ++i) {
      tasks.go([&] {
        for (int turn = 0; turn < 10; ++turn) {
          const std::lock_guard hold{m};
          mortise::yield();
        }
      });
      tasks.go([&]() -> mortise::task<> {
        for (int turn = 0; turn < 10; ++turn) {
          const auto hold = co_await m.async_lock();
          co_await mortise::async_sleep_for(10us);
        }
      });
    }
    tasks.join();
  }
  trace::stop();
  std::ostringstream text;
  const trace::summary s = trace::write(text);
  const json t = json::parse(text.str());
  is_sound(t);
  EXPECT_GT(arrows(t).size(), 20u);
  EXPECT_GT(time_of_tasks(t), 0);
  EXPECT_LE(time_of_tasks(t), 2 * s.lasted);
  EXPECT_EQ(s.left_out, 0u);
}

// The bug: time in which a task works is missing.
TEST(trace, shows_the_time_that_a_task_works) {
  constexpr mortise::nanos work = 5'000'000;
  mortise::runtime one{workers(1)};
  trace::start();
  {
    mortise::task_scope tasks{one};
    tasks.go([] {
      for (const mortise::nanos end = mortise::now_ns() + work; mortise::now_ns() < end;)
        mortise::cpu_relax();
    });
    tasks.join();
  }
  trace::stop();
  const json t = traced();
  EXPECT_GE(time_of_tasks(t), work);
}

// The bug: what came later is left out silently, or of some threads only.
TEST(trace, that_is_full_ends_there_and_says_so) {
  mortise::runtime one{workers(1)}, other{workers(1)};
  const auto run_on = [](mortise::runtime& where, int turns, const char* name) {
    mortise::task_scope tasks{where};
    tasks.go([&] {
      mortise::this_task::name(name);
      for (int i = 0; i < turns; ++i) mortise::yield();
    });
    tasks.join();
  };
  trace::start({.most_events = 500});
  run_on(one, 0, "early");
  run_on(other, 1000, "fills it");
  run_on(one, 0, "late");  // that thread has room left, of what it took for itself
  trace::stop();
  std::ostringstream text;
  const trace::summary s = trace::write(text);
  const json t = json::parse(text.str());
  is_sound(t);
  EXPECT_LE(s.events, 500u);
  EXPECT_GE(s.events + s.left_out, 2000u);
  std::set<std::string> names;
  for (const slice& one_of : slices(t)) names.insert(one_of.name);
  EXPECT_TRUE(names.contains("early") && names.contains("fills it"));
  EXPECT_FALSE(names.contains("late"));
  EXPECT_EQ(t["otherData"]["left_out"], s.left_out);
  bool told = false;
  for (const json& e : t["traceEvents"]) {
    told |= e["name"] ==
            "the trace is full: " + std::to_string(s.left_out) + " events that came later are left out";
    if (e["ph"] != "M") EXPECT_LE(ns(e["ts"]), s.lasted + 1);
  }
  EXPECT_TRUE(told);
}

// The bug: a name breaks the file.
TEST(trace, names_are_text_whatever_is_in_them) {
  mortise::runtime one{workers(1)};
  trace::start();
  {
    mortise::task_scope tasks{one};
    tasks.go([] { mortise::this_task::name("\"a\\b\n\xC3\xA9\xC3"); });
    tasks.join();
  }
  trace::stop();
  const auto all = slices(traced());
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all[0].name, "\"a\\b?\u00e9\ufffd");
}

// The bug: it goes on, or what was recorded comes twice.
TEST(trace, that_begins_anew_has_nothing_of_the_last_one) {
  mortise::runtime one{workers(1)};
  const auto run_one = [&] {
    mortise::task_scope tasks{one};
    tasks.go([] { mortise::this_task::name("it"); });
    tasks.join();
  };
  const auto seen = [] {
    const auto all = slices(traced());
    return std::count_if(all.begin(), all.end(), [](const slice& s) { return s.name == "it"; });
  };
  trace::start();
  run_one();
  trace::stop();
  EXPECT_EQ(seen(), 1);
  run_one();
  EXPECT_EQ(seen(), 1);
  trace::start();
  EXPECT_EQ(seen(), 0);
  run_one();
  EXPECT_EQ(seen(), 1);
  trace::stop();
}

// The bug: a call that comes late writes into what is being read, or into the next trace.
TEST(trace, may_be_started_and_stopped_amid_everything) {
  mortise::runtime two{workers(2)};
  mortise::mutex m;
  std::atomic<bool> over{false};
  mortise::task_scope tasks{two};
  for (int i = 0; i < 4; ++i) {
    tasks.go([&] {
      while (!over) {
        const std::lock_guard hold{m};
        mortise::yield();
      }
    });
  }
  std::jthread outside{[&] {
    while (!over) const std::lock_guard hold{m};
  }};
  for (int i = 0; i < 10; ++i) {
    trace::start({.most_events = 500});
    for (int turn = 0; turn < 10; ++turn) {
      const std::lock_guard hold{m};
    }
    if (i % 2 == 0) is_sound(traced());
    trace::stop();
    is_sound(traced());
  }
  over = true;
  outside.join();
  tasks.join();
}

// The bug: a disk that is full passes for a trace.
TEST(trace, that_cannot_be_written_throws) {
  trace::start();
  trace::stop();
  EXPECT_THROW(trace::write("/dev/full"), std::system_error);
  EXPECT_THROW(trace::write("/nowhere/trace.json"), std::system_error);
}

}  // namespace
