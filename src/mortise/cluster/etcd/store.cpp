#include <mortise/cluster/etcd/store.hpp>

#include <atomic>
#include <utility>

#include <mortise/cluster/etcd/calls.hpp>
#include <mortise/cluster/etcd/channels.hpp>
#include <mortise/cluster/etcd/engine.hpp>
#include <mortise/cluster/etcd/messages.hpp>
#include <mortise/cluster/etcd/watches.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

namespace {

template <class Reply>
Reply not_ok(const etcd::answer& a) {
  Reply r;
  r.how = a.what.how;
  r.no_such_lease = a.what.no_such_lease;
  r.text = a.text;
  return r;
}

}  // namespace

class etcd_store::parts {
 public:
  explicit parts(etcd_options o) : m_options{std::move(o)} {
    m_calls.on_silence = [this](std::size_t endpoint) { m_watches.break_those_on(endpoint); };
  }
  ~parts() {
    m_engine.end([this] {
      m_watches.cancel_all();
      m_calls.cancel_all();
    });
  }

  // `write` makes the request, `read` what its answer says.
  template <class Reply, class Write, class Read>
  void ask(const char* method, bool needs_leader, completion<Reply> done, Write write, Read read) {
    m_engine.run([this, method, needs_leader, deadline = m_calls.deadline(), done = std::move(done),
                  write = std::move(write), read = std::move(read)]() mutable {
      m_calls.start({.method = method, .bytes = write(), .deadline = deadline, .needs_leader = needs_leader},
                    [this, done = std::move(done), read = std::move(read)](etcd::answer&& a) {
                      m_engine.later([done, r = a.what.how == verdict::ok ? read(a.bytes)
                                                                          : not_ok<Reply>(a)] { done(r); });
                    });
    });
  }

  const etcd_options m_options;
  etcd::channels m_channels{m_options};
  etcd::engine m_engine;
  etcd::calls m_calls{m_engine, m_channels, m_options};
  etcd::watches m_watches{m_engine, m_channels, m_calls};
  std::atomic<std::int64_t> m_last_watch{0};
};

etcd_store::etcd_store(etcd_options o) : m_parts{std::make_unique<parts>(std::move(o))} {}

etcd_store::~etcd_store() = default;

void etcd_store::grant(nanos ttl, completion<lease_reply> done) {
  m_parts->ask<lease_reply>(
      "/etcdserverpb.Lease/LeaseGrant", true, std::move(done), [ttl] { return etcd::grant_request(ttl); },
      [](const std::string& bytes) { return etcd::grant_reply(bytes); });
}

// A stream of one request: on the wire that is the same as a call.
void etcd_store::keep_alive(lease_id lease, completion<lease_reply> done) {
  m_parts->ask<lease_reply>(
      "/etcdserverpb.Lease/LeaseKeepAlive", true, std::move(done),
      [lease] { return etcd::lease_request(lease); },
      [lease](const std::string& bytes) { return etcd::keep_alive_reply(bytes, lease); });
}

void etcd_store::revoke(lease_id lease, completion<reply> done) {
  m_parts->ask<reply>(
      "/etcdserverpb.Lease/LeaseRevoke", true, std::move(done),
      [lease] { return etcd::lease_request(lease); },
      [](const std::string& bytes) { return etcd::revoke_reply(bytes); });
}

void etcd_store::commit(transaction what, completion<transaction_reply> done) {
  const auto t = std::make_shared<const transaction>(std::move(what));
  const std::string* const prefix = &m_parts->m_options.prefix;
  m_parts->ask<transaction_reply>(
      "/etcdserverpb.KV/Txn", !t->may_be_stale, std::move(done),
      [t, prefix] { return etcd::transaction_request(*t, *prefix); },
      [t, prefix](const std::string& bytes) { return etcd::commit_reply(bytes, *t, *prefix); });
}

std::uint64_t etcd_store::watch(std::string key, revision from, completion<watch_end> done) {
  const std::int64_t id = ++m_parts->m_last_watch;
  m_parts->m_engine.run(
      [p = m_parts.get(), id, from, key = m_parts->m_options.prefix + key, done = std::move(done)]() mutable {
        p->m_watches.add(id, std::move(key), from, std::move(done));
      });
  return static_cast<std::uint64_t>(id);
}

void etcd_store::forget(std::uint64_t watch) {
  m_parts->m_engine.run(
      [p = m_parts.get(), watch] { p->m_watches.forget(static_cast<std::int64_t>(watch)); });
}

etcd_numbers etcd_store::counted() const { return m_parts->m_engine.look_at_numbers(); }

}  // namespace mortise::inline MORTISE_ABI::cluster
