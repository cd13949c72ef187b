#include "plain_etcd.hpp"

#include <cstring>
#include <thread>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/byte_buffer.h>
#include <nlohmann/json.hpp>

#include "plain.pb.h"

namespace faults {

using namespace std::chrono_literals;

class plain_etcd::channel {
 public:
  explicit channel(const std::vector<std::string>& endpoints) {
    std::string target = "ipv4:";
    for (const std::string& e : endpoints) {
      if (target.size() > 5) target += ',';
      target += e.substr(std::strlen("http://"));
    }
    grpc::ChannelArguments a;
    a.SetLoadBalancingPolicyName("round_robin");
    a.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
    m_channel = grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), a);
  }

  template <class Reply, class Request>
  bool call(const char* path, const Request& q, Reply& r, std::chrono::milliseconds within = 1s) {
    grpc::ClientContext context;
    expect(context, within);
    grpc::CompletionQueue done;
    grpc::GenericStub stub{m_channel};
    const auto rpc = stub.PrepareUnaryCall(&context, path, bytes_of(q), &done);
    grpc::Status status;
    grpc::ByteBuffer bytes;
    rpc->StartCall();
    rpc->Finish(&bytes, &status, this);
    wait_for(done);
    return status.ok() && parse(bytes, r);
  }

  // One question on a stream of its own, and its answer.
  template <class Reply, class Request>
  bool ask(const char* path, const Request& q, Reply& r) {
    grpc::ClientContext context;
    expect(context, 1s);
    grpc::CompletionQueue done;
    grpc::GenericStub stub{m_channel};
    const auto stream = stub.PrepareCall(&context, path, &done);
    stream->StartCall(this);
    bool ok = wait_for(done);
    if (ok) {
      stream->Write(bytes_of(q), this);
      ok = wait_for(done);
    }
    grpc::ByteBuffer bytes;
    if (ok) {
      stream->Read(&bytes, this);
      ok = wait_for(done) && parse(bytes, r);
    }
    context.TryCancel();
    grpc::Status status;
    stream->Finish(&status, this);
    wait_for(done);
    return ok;
  }

 private:
  static void expect(grpc::ClientContext& c, std::chrono::milliseconds within) {
    c.set_deadline(std::chrono::system_clock::now() + within);
    c.AddMetadata("hasleader", "true");
  }
  template <class Message>
  static grpc::ByteBuffer bytes_of(const Message& m) {
    const grpc::Slice whole{m.SerializeAsString()};
    return {&whole, 1};
  }
  template <class Message>
  static bool parse(grpc::ByteBuffer& bytes, Message& m) {
    grpc::Slice whole;
    return bytes.DumpToSingleSlice(&whole).ok() &&
           m.ParseFromArray(whole.begin(), static_cast<int>(whole.size()));
  }
  static bool wait_for(grpc::CompletionQueue& done) {
    void* tag = nullptr;
    bool ok = false;
    return done.Next(&tag, &ok) && ok;
  }
  std::shared_ptr<grpc::Channel> m_channel;
};

plain_etcd::plain_etcd(const std::vector<std::string>& endpoints)
    : m_channel{std::make_unique<channel>(endpoints)} {}
plain_etcd::~plain_etcd() = default;

std::int64_t plain_etcd::grant(std::chrono::milliseconds ttl) {
  mortise::faults::LeaseGrantRequest q;
  mortise::faults::LeaseGrantResponse r;
  q.set_ttl(std::chrono::ceil<std::chrono::seconds>(ttl).count());
  return m_channel->call("/etcdserverpb.Lease/LeaseGrant", q, r) ? r.id() : 0;
}

bool plain_etcd::keep_alive(std::int64_t lease) {
  mortise::faults::LeaseKeepAliveRequest q;
  mortise::faults::LeaseKeepAliveResponse r;
  q.set_id(lease);
  return m_channel->ask("/etcdserverpb.Lease/LeaseKeepAlive", q, r) && r.ttl() > 0;
}

void plain_etcd::revoke(std::int64_t lease) {
  mortise::faults::LeaseRevokeRequest q;
  mortise::faults::Anything r;
  q.set_id(lease);
  static_cast<void>(m_channel->call("/etcdserverpb.Lease/LeaseRevoke", q, r));
}

std::optional<std::string> plain_etcd::get(const std::string& key) {
  mortise::faults::RangeRequest q;
  mortise::faults::RangeResponse r;
  q.set_key(key);
  if (!m_channel->call("/etcdserverpb.KV/Range", q, r)) return {};
  return r.kvs_size() == 0 ? std::string{} : r.kvs(0).value();
}

// Asks again if no answer comes, as programs do: what it writes is the same each time.
answer plain_etcd::put(const std::string& key, const std::string& value) {
  mortise::faults::PutRequest q;
  q.set_key(key);
  q.set_value(value);
  for (int tries = 0; tries < 5; ++tries) {
    mortise::faults::Anything r;
    if (m_channel->call("/etcdserverpb.KV/Put", q, r)) return answer::yes;
    std::this_thread::sleep_for(20ms);
  }
  return answer::none;
}

std::optional<std::string> plain_etcd::lock(const std::string& name, std::int64_t lease,
                                            std::chrono::milliseconds within) {
  mortise::faults::LockRequest q;
  mortise::faults::LockResponse r;
  q.set_name(name);
  q.set_lease(lease);
  if (!m_channel->call("/v3lockpb.Lock/Lock", q, r, within)) return {};
  return r.key();
}

void plain_etcd::unlock(const std::string& key) {
  mortise::faults::UnlockRequest q;
  mortise::faults::Anything r;
  q.set_key(key);
  static_cast<void>(m_channel->call("/v3lockpb.Lock/Unlock", q, r));
}

result plain_etcd::get_and_put(const std::string& key, std::int64_t element) {
  const result before = read(key);
  if (before.how != ending::ok) return {ending::failed};
  list changed = before.value;
  changed.push_back(element);
  in_the_middle();
  const answer put_so = put(key, nlohmann::json(changed).dump());
  return {put_so == answer::yes ? ending::ok : ending::unknown,
          static_cast<std::int64_t>(before.value.size())};
}

result plain_etcd::read(const std::string& key) {
  const std::optional<std::string> text = get(key);
  if (!text) return {ending::failed};
  return {ending::ok, 0, text->empty() ? list{} : nlohmann::json::parse(*text).get<list>()};
}

}  // namespace faults
