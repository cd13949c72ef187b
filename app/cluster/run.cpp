#include <app/cluster/private_etcd.hpp>
#include <app/cluster/published.hpp>
#include <app/cluster/run.hpp>
#include <app/cluster/run_value.hpp>
#include <app/cluster/store_at.hpp>

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <app/run/interrupt.hpp>
#include <app/run/processes.hpp>
#include <app/run/worker_process.hpp>
#include <mortise/cluster/etcd/store.hpp>
#include <mortise/cluster/prometheus.hpp>

namespace app::cluster {
namespace {

using namespace std::chrono_literals;

// What each process shows of itself to the parent.
struct shown {
  mc::numbers lock;
  mc::lease_numbers lease;
};
struct place {
  told updates;
  published<shown> numbers;
};
using places = std::unique_ptr<place[], unmap>;

// A name of its own for each run, so that none counts another's writes.
std::string new_name() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return fmt::format("run/{:x}.{:x}.{:x}", now.tv_sec, now.tv_nsec, ::getpid());
}

template <class Value>
void work(const run_options& o, const std::string& name, place& mine, board& b, turns& turns_of,
          unsigned process) {
  mc::etcd_store store{options_of(o.cluster)};
  mc::session here{store};
  here.require_lease(5s);
  Value value{here, name, mine.updates};
  process_share<Value> share{o, b, turns_of, value, process};
  share.tell = [&] { mine.numbers.show({value.counted(), here.counted().lease}); };
  run_share(std::move(share));
}

// All that the processes have shown last; of one that has not yet shown anything nothing.
class watcher {
 public:
  watcher(const run_options& o, const places& of) : m_options{o}, m_of{of}, m_seen(o.processes) {}

  void look() {
    for (unsigned i = 0; i < m_options.processes; ++i) static_cast<void>(m_of[i].numbers.see(m_seen[i]));
    if (m_options.metrics.empty()) return;
    mc::prometheus_page page;
    for (unsigned i = 0; i < m_options.processes; ++i) {
      page.add({m_seen[i].lease, {{"run", m_seen[i].lock}}}, {{"process", std::to_string(i)}});
    }
    page.write(m_options.metrics);
  }

  void add_up(run_result& r) const {
    cluster_counts& c = r.cluster.emplace();
    for (unsigned i = 0; i < m_options.processes; ++i) {
      c.lost += m_of[i].updates.lost.load(mortise::memory_order_relaxed);
      c.unknown += m_of[i].updates.unknown.load(mortise::memory_order_relaxed);
      c.lock += m_seen[i].lock;
      c.lease.leases += m_seen[i].lease.leases;
      c.lease.gone += m_seen[i].lease.gone;
      c.lease.renewals += m_seen[i].lease.renewals;
      c.lease.failures += m_seen[i].lease.failures;
      c.lease.age = std::max(c.lease.age, m_seen[i].lease.age);
      c.lease.good_for =
          i == 0 ? m_seen[i].lease.good_for : std::min(c.lease.good_for, m_seen[i].lease.good_for);
    }
  }

 private:
  const run_options& m_options;
  const places& m_of;
  std::vector<shown> m_seen;
};

// The value as it is after all have ended; then it is removed.
cluster_state take_away(const run_options& o, const std::string& name) {
  const mc::lock_names names{name};
  mc::etcd_store store{options_of(o.cluster)};
  const mc::transaction_reply r = ask(store, mc::read_confirmed(names));
  if (r.how != mc::verdict::ok || r.found.empty())
    throw std::runtime_error("the map cannot be read at the end: " + (r.text.empty() ? "no answer" : r.text));
  cluster_state s = cluster_state::empty();
  if (!r.found[0].empty()) {
    const auto record = mc::record::parse(r.found[0][0].value);
    if (!record) throw std::runtime_error("what is in the map's place at the end was not written by mortise");
    s = mc::codec<cluster_state>::decode(record->bytes);
  }
  mc::transaction clear;
  clear.then.emplace_back(mc::erase{names.value()});
  static_cast<void>(ask(store, std::move(clear)));
  return s;
}

template <class Value>
run_result run_with(const run_options& o) {
  const std::string name = new_name();
  const places of = make_shared_pages<place>(o.processes);
  watcher watch{o, of};
  return run_among_processes(
      o, {.work = [&](board& b, turns& turns_of,
                      unsigned process) { work<Value>(o, name, of[process], b, turns_of, process); },
          .look = [&] { watch.look(); },
          .judge =
              [&](const board& b, std::uint64_t, run_result& r) {
                watch.add_up(r);
                judge_state(take_away(o, name), b, r.cluster->unknown, r);
              }});
}

}  // namespace

run_result run(const run_options& options) {
  const interrupt while_running;
  run_options o = options;
  if (!o.metrics.empty()) {
    try {
      mc::prometheus_page{}.write(o.metrics);
    } catch (const std::system_error& e) {
      throw usage_error(fmt::format("--metrics: {} cannot be written: {}", o.metrics, e.code().message()));
    }
  }
  std::optional<mortise::app::private_etcd> own;
  if (o.cluster.is_private()) {
    if (!mortise::app::private_etcd::is_installed()) {
      throw std::runtime_error(
          "there is no etcd for a private one: install etcd-server, or say where one is with --endpoints");
    }
    own.emplace();
    o.cluster.endpoints = {own->endpoint()};
    fmt::print(stderr, "mortise: no --endpoints: a private etcd at {} in {}, until this run ends\n",
               own->endpoint(), own->directory());
  }
  try {
    return o.lock == lock_kind::none ? run_with<unfenced_value>(o) : run_with<guarded_value>(o);
  } catch (const std::invalid_argument& e) {  // etcd_store: a file that is none, an endpoint
    throw usage_error(e.what());
  }
}

}  // namespace app::cluster
