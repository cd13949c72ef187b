#include <app/bench/bars.hpp>

namespace app::bench::bars {
namespace {

constexpr auto at_least = sense::at_least;
constexpr auto at_most = sense::at_most;

}  // namespace

// Of 110,000 that are possible; a run lasts a second.
bar p1_ops() { return {"P1", "ops_per_s", at_least, 109'300, 109'800}; }
bar p1_cpu() { return {"P1", "cpu_percent", at_most, 10}; }

bar p2() { return {"P2", "ops_per_s", at_least, 10.4e6, 10.8e6}; }

bar p3() { return {"P3", "ops_per_s", at_least, 12e6, 25e6}; }
bar p3_against_go(const std::string& go) { return {"P3", "ops_per_s", at_least, 8, {}, "go", {go}}; }
bar p3_against_best_go(const std::vector<std::string>& all) {
  return {"P3", "ops_per_s", at_least, 5, {}, "go at its best", all};
}
bar p3_against_tokio(const std::vector<std::string>& all) {
  return {"P3", "ops_per_s", at_least, 1, {}, "tokio", all};
}

bar p4(const std::string& kind) {
  if (kind == "coroutine") return {"P4", "bytes_per_task", at_most, 200, 128};
  return {"P4", "bytes_per_task", at_most, 5'120, 4'608};
}
bar p4_ten_million() { return {"P4", "rss_bytes", at_most, 2'000'000'000}; }

bar p5(const std::string& std) { return {"P5", "ns", at_most, 0.6, 0.5, "std", {std}}; }

bar p6a_ops(const std::string& std) { return {"P6a", "ops_per_s", at_least, 1, {}, "std", {std}}; }
bar p6a_wait(const std::string& std) { return {"P6a", "wait_p999_ns", at_most, 0.25, 0.1, "std", {std}}; }

std::vector<bar> p6b() {
  return {{"P6b", "ops_per_s", at_least, 15e6, 36e6},
          {"P6b", "share", at_least, 0.9},
          {"P6b", "wait_p999_ns", at_most, 2'000'000}};
}

bar p7(const std::string& one_worker, bool gap_shorter_than_section) {
  const double must = gap_shorter_than_section ? 0.95 : 1.0;
  return {"P7", "ops_per_s", at_least, must, 1.5, "one worker", {one_worker}, 0.5};
}

std::vector<bar> p8() {
  return {{"P8", "p50_ns", at_most, 10'000, 5'000}, {"P8", "p99_ns", at_most, 150'000, 50'000}};
}

bar p11_spawn(const std::string& kind) {
  if (kind == "coroutine") return {"P11", "ns", at_most, 60, 40};
  return {"P11", "ns", at_most, 250, 150};
}
bar p11_switch() { return {"P11", "ns", at_most, 20, 12}; }

// The row says "less than 0.5 %".
bar p12() { return {"P12", "cpu_percent", at_most, 0.5, 0.1}; }

bar f1(const std::string& who, const std::string& peer) { return {"F1", "ns", at_most, 1, {}, who, {peer}}; }
bar f2(const std::string& alone, const std::string& peer) {
  return {"F2", "reads_per_s", at_least, 1.7, {}, alone, {peer}};
}
std::vector<bar> f3(const std::vector<std::string>& all) {
  return {{"F3", "ops_per_s", at_least, 1, {}, "every peer", all},
          {"F3", "wait_p999_ns", at_most, 5'000'000}};
}
bar f4(const std::string& who, const std::vector<std::string>& peers) {
  return {"F4", "ops_per_s", at_least, 5, {}, who, peers};
}
// Two figures of one process, so that both are of the same core in the same minute.
bar f5() { return {"F5", "p99_ratio", at_most, 2}; }
bar f6() { return {"F6", "lock_ratio", at_most, 1.1}; }

// Of two figures of one process too.
bar s1() { return {"S1", "robust_ratio", at_most, 1.6}; }
bar s2() { return {"S2", "robust_ratio", at_most, 2}; }
bar s3() { return {"S3", "ns", at_most, 30}; }
bar s4_ops(const std::string& robust) {
  return {"S4", "ops_per_s", at_least, 1, {}, "pthread robust", {robust}};
}
bar s4_wait(const std::string& robust) {
  return {"S4", "wait_p999_ns", at_most, 0.5, {}, "pthread robust", {robust}};
}
bar s5(const std::string& robust_on_threads) {
  return {"S5", "ops_per_s", at_least, 10, {}, "pthread robust", {robust_on_threads}};
}
bar s6() { return {"S6", "p99_ns", at_most, 1'000'000}; }
bar s7() { return {"S7", "flock_ratio", at_most, 1.6}; }

bar c1_ops(const std::string& go) { return {"C1", "ops_per_s", at_least, 1.5, {}, "etcd's Go client", {go}}; }
bar c1_round_trips() { return {"C1", "round_trips", at_most, 2}; }
bar c2(const std::vector<std::string>& go) {
  return {"C2", "ops_per_s", at_least, 20, {}, "etcd's Go client", go};
}
bar c3_ops(const std::vector<std::string>& go) {
  return {"C3", "ops_per_s", at_least, 10, {}, "etcd's Go client", go};
}
// Two others have the key for 50 ms each and then commit.
bar c3_away() { return {"C3", "away_max_ns", at_most, 200'000'000}; }
bar c4() { return {"C4", "p99_ns", at_most, 2'800'000'000}; }
bar c5() { return {"C5", "p99_ns", at_most, 20'000'000}; }

// Of two figures of one process too: what is done while it is on, of what is done while it is off.
bar i1() { return {"I1", "on_off_ratio", at_least, 0.99}; }

}  // namespace app::bench::bars
