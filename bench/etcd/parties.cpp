// The parties of the benchmarks on etcd that use mortise: workload/cluster.hpp says what they are asked to do.
//
//     etcd-parties-mortise role:ROLE endpoint:URL key:value ...

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <mutex>
#include <string>

#include <mortise/cluster/etcd/store.hpp>
#include <mortise/cluster/guarded.hpp>
#include <mortise/cluster/mutex.hpp>
#include <mortise/cluster/session.hpp>

#include <bench/harness/durations.hpp>
#include <bench/harness/keys.hpp>
#include <bench/kind/mortise_tasks.hpp>
#include <bench/kind/threads.hpp>

namespace {

using steady = std::chrono::steady_clock;
namespace cluster = mortise::cluster;

struct decimal {
  static std::string encode(std::int64_t n) { return std::to_string(n); }
  static std::int64_t decode(std::string_view text) { return std::stoll(std::string{text}); }
};
using number = cluster::guarded<std::int64_t, decimal>;

// Counts what is asked of the key space.
class counting_store final : public cluster::store {
 public:
  explicit counting_store(cluster::store& s) : m_store{s} {}
  std::uint64_t transactions() const { return m_transactions; }

  void grant(mortise::nanos ttl, cluster::completion<cluster::lease_reply> done) override {
    m_store.grant(ttl, std::move(done));
  }
  void keep_alive(cluster::lease_id l, cluster::completion<cluster::lease_reply> done) override {
    m_store.keep_alive(l, std::move(done));
  }
  void revoke(cluster::lease_id l, cluster::completion<cluster::reply> done) override {
    m_store.revoke(l, std::move(done));
  }
  void commit(cluster::transaction t, cluster::completion<cluster::transaction_reply> done) override {
    ++m_transactions;
    m_store.commit(std::move(t), std::move(done));
  }
  std::uint64_t watch(std::string key, cluster::revision from,
                      cluster::completion<cluster::watch_end> done) override {
    return m_store.watch(std::move(key), from, std::move(done));
  }
  void forget(std::uint64_t w) override { m_store.forget(w); }

 private:
  cluster::store& m_store;
  std::atomic<std::uint64_t> m_transactions{0};
};

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

void ready_and_told() {
  say("ready");
  std::string line;
  std::getline(std::cin, line);
}

// What all parties of this process have had.
class progress {
 public:
  explicit progress(steady::time_point begin) : m_last{begin} {}

  void note(std::chrono::nanoseconds took) {
    const std::lock_guard hold{m_guard};
    m_took.record(took.count());
    pause();
  }
  void pause() {
    const auto now = steady::now();
    m_away = std::max<std::chrono::nanoseconds>(m_away, now - m_last);
    m_last = now;
  }
  std::string figures() const {
    return "updates:" + std::to_string(m_took.total()) + " p50_ns:" + std::to_string(m_took.quantile(0.5)) +
           " p99_ns:" + std::to_string(m_took.quantile(0.99)) +
           " max_ns:" + std::to_string(m_took.longest()) + " away_max_ns:" + std::to_string(m_away.count());
  }

 private:
  std::mutex m_guard;
  steady::time_point m_last;
  std::chrono::nanoseconds m_away{0};
  bench::durations m_took;
};

template <class Kind>
void update(cluster::store& to, unsigned parties, std::chrono::milliseconds window) {
  counting_store store{to};
  cluster::session here{store};
  here.require_lease(std::chrono::seconds{10});
  number value{here, "bench/value"};
  static_cast<void>(value.read([](std::int64_t n) { return n; }));  // connected, as a session is in Go
  ready_and_told();
  const std::uint64_t before = store.transactions();
  const auto begin = steady::now(), until = begin + window;
  progress all{begin};
  Kind::run(
      parties, 2,
      [&](unsigned) {
        for (auto asked = begin; asked < until; asked = steady::now()) {
          value.update([](std::int64_t& n) { ++n; });
          all.note(steady::now() - asked);
        }
      },
      [] {});
  const auto took = steady::now() - begin;
  all.pause();
  say(all.figures() + " duration_ns:" + std::to_string(std::chrono::nanoseconds{took}.count()) +
      " requests:" + std::to_string(store.transactions() - before));
}

void hold_or_wait(cluster::store& store, bool holds, const std::string& name, std::chrono::milliseconds ttl) {
  cluster::session here{store, {.lease_ttl = ttl}};
  here.require_lease(std::chrono::seconds{10});
  cluster::mutex m{here, "bench/" + name};
  if (!holds) say("ready");
  const std::lock_guard hold{m};
  if (holds) return ready_and_told();
  say("inside");
}

void read(cluster::store& store) {
  cluster::session here{store};
  const number value{here, "bench/value"};
  say("value:" + std::to_string(value.read([](std::int64_t n) { return n; })));
}

void run(bench::keys& given) {
  cluster::etcd_store store{{.endpoints = {given.word("endpoint", "http://127.0.0.1:2379")}}};
  const std::string role = given.word("role", "");
  if (role == "update") {
    const std::string kind = given.word("kind", "thread");
    const unsigned parties = given.count("parties", 1, 1, 10'000);
    const std::chrono::milliseconds window{given.number("for_ms", 1'000, 1, 600'000)};
    given.no_others();
    if (kind == "fiber")
      update<bench::mortise_tasks<void>>(store, parties, window);
    else
      update<bench::threads<void>>(store, parties, window);
  } else if (role == "hold" || role == "wait") {
    const std::string name = given.word("name", "one");
    const std::chrono::milliseconds ttl{given.number("ttl_ms", 10'000, 100, 60'000)};
    given.no_others();
    hold_or_wait(store, role == "hold", name, ttl);
  } else if (role == "read") {
    given.no_others();
    read(store);
  } else {
    throw bench::usage_error("role: '" + role + "' is none of update, hold, wait, read");
  }
}

}  // namespace

int main(int argc, char** argv) try {
  bench::keys given{argc - 1, argv + 1};
  run(given);
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "etcd-parties-mortise: %s\n", e.what());
  return 1;
}
