#pragma once

// What processes do to one value, or one lock, on etcd. Each sample has an etcd of its own on the loopback address, in a temporary directory,
// and its parties in processes of their own: a program that knows roles, whatever language it is in.
//
//     cluster_update kind:K processes:P parties:N for_ms:T     {"ops": ..., "ops_per_s": ..., "share": ..., "p50_ns": ..., ...}
//     cluster_takeover kind:K killed:1 ttl_ms:T samples:N      {"p50_ns": ..., "p99_ns": ..., "max_ns": ...}
//
//     PROGRAM role:update endpoint:URL kind:K parties:N for_ms:T   "ready"; once told, updates for so long; one line of figures
//     PROGRAM role:read endpoint:URL                               "value:N", what all updates have made of it
//     PROGRAM role:hold|wait endpoint:URL name:NAME ttl_ms:T       hold: "ready" with the lock; told, ends. wait: "ready", then "inside"
//
// An update adds 1 to a number, which at the end must be as many as were acknowledged. away_max_ns is the longest that a process, all of whose parties
// want to update, had nothing. round_trips is of requests to the store's key space for each update, where the parties count them.
//
// Takeover: somebody holds the lock and another process waits for it; the holder is killed at a time at random, or told to end. Until the next one says
// that he is inside. Those that are killed are of locks of their own and all at once, since each takes as long as a lease.

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <app/cluster/private_etcd.hpp>
#include <bench/harness/durations.hpp>
#include <bench/harness/json_line.hpp>
#include <bench/harness/keys.hpp>
#include <bench/harness/told.hpp>

namespace bench {

namespace cluster_detail {

// Beside this program, or in a folder there.
inline std::string program_of_the_parties() {
  const auto own = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  return (own / MORTISE_BENCH_PARTIES).string();
}

// Nothing if it can be measured here.
inline std::string obstacle() {
  if (!mortise::app::private_etcd::is_installed()) return "etcd is not installed";
  if (::access(program_of_the_parties().c_str(), X_OK) != 0)
    return std::string{MORTISE_BENCH_PARTIES} + " is not built";
  return {};
}

inline std::string disk_of(const std::string& directory) {
  struct statfs s{};
  if (::statfs(directory.c_str(), &s) != 0) return "unknown";
  return s.f_type == TMPFS_MAGIC ? "memory" : "disk";
}

inline std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds{1};
}

inline told party(const mortise::app::private_etcd& e, const std::string& role,
                  std::vector<std::string> more) {
  std::vector<std::string> words{program_of_the_parties(), "role:" + role, "endpoint:" + e.endpoint()};
  words.insert(words.end(), more.begin(), more.end());
  return told{words};
}

// key:value words in a line that a party says.
class figures {
 public:
  explicit figures(const std::string& line) {
    std::istringstream words{line};
    for (std::string word; words >> word;) {
      const std::size_t colon = word.find(':');
      if (colon != std::string::npos) m_all[word.substr(0, colon)] = std::stod(word.substr(colon + 1));
    }
  }
  bool has(const std::string& key) const { return m_all.contains(key); }
  double of(const std::string& key) const {
    if (!has(key)) throw std::runtime_error("a party says nothing of " + key);
    return m_all.at(key);
  }

 private:
  std::map<std::string, double> m_all;
};

// One lock: from the end of its holder until the next one is inside.
inline std::int64_t take_over(const mortise::app::private_etcd& e, const std::string& name,
                              std::int64_t ttl_ms, bool killed, std::chrono::milliseconds after) {
  const std::vector<std::string> words{"name:" + name, "ttl_ms:" + std::to_string(ttl_ms)};
  told holder = party(e, "hold", words);
  holder.hear("ready");
  told next = party(e, "wait", words);
  next.hear("ready");
  std::this_thread::sleep_for(after);
  const std::int64_t begin = now_ns();
  if (killed)
    holder.kill();
  else
    holder.go_on();
  next.hear("inside");
  const std::int64_t took = now_ns() - begin;
  next.end();
  if (!killed) holder.end();
  return took;
}

}  // namespace cluster_detail

inline void cluster_update(keys& given, json_line& line, const std::string& kind) {
  using namespace cluster_detail;
  const unsigned processes = given.count("processes", 1, 1, 64),
                 parties = given.count("parties", 1, 1, 10'000);
  const std::int64_t for_ms = given.number("for_ms", 1'000, 1, 600'000);
  given.no_others();
  if (const std::string why = obstacle(); !why.empty()) {
    line.add("skipped", why);
    return;
  }
  const mortise::app::private_etcd etcd;
  std::vector<told> all;
  for (unsigned i = 0; i < processes; ++i)
    all.push_back(
        party(etcd, "update",
              {"kind:" + kind, "parties:" + std::to_string(parties), "for_ms:" + std::to_string(for_ms)}));
  for (told& p : all) p.hear("ready");
  for (told& p : all) p.go_on();
  double ops = 0, least = 1e18, most = 0, longest = 0, requests = 0;
  bool counts = true;
  std::map<std::string, double> worst;
  for (told& p : all) {
    const figures f{p.hear(std::chrono::milliseconds{for_ms + 60'000})};
    const double own = f.of("updates");
    ops += own;
    least = std::min(least, own);
    most = std::max(most, own);
    longest = std::max(longest, f.of("duration_ns"));
    counts = counts && f.has("requests");
    if (counts) requests += f.of("requests");
    for (const char* key : {"p50_ns", "p99_ns", "max_ns", "away_max_ns"})
      worst[key] = std::max(worst[key], f.of(key));
    p.end();
  }
  told reader = party(etcd, "read", {});
  if (const double value = figures{reader.hear()}.of("value"); value != ops)
    throw std::runtime_error(std::to_string(static_cast<std::int64_t>(ops)) +
                             " updates were acknowledged, but the value is " +
                             std::to_string(static_cast<std::int64_t>(value)));
  reader.end();
  line.add("ops", static_cast<std::int64_t>(ops))
      .add("duration_ns", static_cast<std::int64_t>(longest))
      .add("ops_per_s", ops * 1e9 / longest)
      .add("share", most > 0 ? least / most : 0);
  for (const auto& [key, value] : worst) line.add(key, static_cast<std::int64_t>(value));
  if (counts && ops > 0) line.add("round_trips", requests / ops);
  line.add("etcd_on", disk_of(etcd.directory()));
}

inline void cluster_takeover(keys& given, json_line& line) {
  using namespace cluster_detail;
  const bool killed = given.number("killed", 1, 0, 1) == 1;
  const std::int64_t ttl_ms = given.number("ttl_ms", 2'000, 100, 60'000);
  const unsigned samples = given.count("samples", killed ? 12 : 30, 1, 1'000);
  given.no_others();
  if (const std::string why = obstacle(); !why.empty()) {
    line.add("skipped", why);
    return;
  }
  const mortise::app::private_etcd etcd;
  durations took;
  std::mutex guard;
  std::exception_ptr wrong;
  std::uint64_t random = 1;
  const auto one = [&](unsigned i, std::chrono::milliseconds after) {
    try {
      const std::int64_t ns = take_over(etcd, "n" + std::to_string(i), ttl_ms, killed, after);
      const std::lock_guard hold{guard};
      took.record(ns);
    } catch (...) {
      const std::lock_guard hold{guard};
      wrong = std::current_exception();
    }
  };
  std::vector<std::jthread> all;
  for (unsigned i = 0; i < samples; ++i) {
    random = random * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    const std::chrono::milliseconds after{static_cast<std::int64_t>((random >> 33) % (killed ? 1'500 : 20)) +
                                          (killed ? 500 : 20)};
    if (killed)
      all.emplace_back(one, i, after);
    else
      one(i, after);
  }
  all.clear();
  if (wrong) std::rethrow_exception(wrong);
  line.add("samples", samples)
      .add("p50_ns", took.quantile(0.5))
      .add("p99_ns", took.quantile(0.99))
      .add("max_ns", took.longest())
      .add("etcd_on", disk_of(etcd.directory()));
}

}  // namespace bench
