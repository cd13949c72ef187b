// What the figures of insight rest on: that what is done while it is on is held against what is done while it is off.
#include <bench/harness/alternation.hpp>
#include <bench/kind/mortise_tasks.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/insight.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bench {
namespace {

using namespace std::chrono_literals;

// Gets 100 things done in a microsecond, or half of that while something is on. By the clock, so that it is exact on any machine.
class halved {
 public:
  void on() { change(50); }
  void off() { change(100); }
  std::uint64_t done() const { return m_done + m_rate * since_change(); }

 private:
  using clock = std::chrono::steady_clock;
  std::uint64_t since_change() const {
    return static_cast<std::uint64_t>((clock::now() - m_changed) / std::chrono::microseconds(1));
  }
  void change(std::uint64_t rate) {
    m_done = done();
    m_changed = clock::now();
    m_rate = rate;
  }
  std::uint64_t m_done = 0, m_rate = 100;
  clock::time_point m_changed = clock::now();
};

double value(const std::string& line, const std::string& key) {
  const std::size_t at = line.find('"' + key + "\": ");
  return at == std::string::npos ? -1 : std::stod(line.substr(at + key.size() + 4));
}

// The bug: slices are put down to the wrong side, or the control has some in which it was on.
TEST(alternation, finds_what_is_halved_while_it_is_on_and_nothing_in_the_control) {
  halved load;
  alternation turns{alternation::per::time, 2ms};
  turns.run(20ms, [&] { load.on(); }, [&] { load.off(); }, [&] { return load.done(); });
  json_line line{"x"};
  turns.add_to(line);
  EXPECT_NEAR(value(line.text(), "on_off_ratio"), 0.5, 0.1);
  EXPECT_NEAR(value(line.text(), "control_ratio"), 1, 0.1);
  EXPECT_NEAR(value(line.text(), "on_ns") / value(line.text(), "ns"), 2, 0.5);
}

// The bug: a load that hangs looks like one that is slow.
TEST(alternation, nothing_done_is_no_result) {
  alternation turns{alternation::per::time, 100us};
  turns.run(1ms, [] {}, [] {}, [] { return std::uint64_t{0}; });
  json_line line{"x"};
  EXPECT_THROW(turns.add_to(line), std::runtime_error);
}

struct part {
  static inline int switched = 0;
  static void on() { ++switched; }
  static void off() { --switched; }
};

template <class Kind>
void expect_to_run(std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (std::string& w : words) pointers.push_back(w.data());
  keys given{static_cast<int>(pointers.size()), pointers.data()};
  json_line line{"x"};
  try {
    insight<Kind, part>(given, line);
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "nothing was done in the time");  // other programs had all processors
  }
  EXPECT_EQ(part::switched, 0);
}

// The bug: a part is left on at the end, or a load does not end or add up.
TEST(insight_load, each_runs_and_ends) {
  using os_threads = threads<mortise::mutex>;
  for (const char* how : {"yields:0", "yields:1", "sleep_us:100"}) {
    const std::vector<std::string> words{"parties:3", "slice_us:500", "for_ms:1", how};
    expect_to_run<os_threads>(words);
    expect_to_run<mortise_fibers>(words);
    expect_to_run<mortise_coroutines>(words);
  }
}

}  // namespace
}  // namespace bench
