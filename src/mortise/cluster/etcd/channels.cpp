#include <mortise/cluster/etcd/channels.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

namespace mortise::inline MORTISE_ABI::cluster::etcd {

namespace {

std::string contents_of(const std::string& file) {
  if (file.empty()) return {};
  errno = 0;
  std::ifstream in{file, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (!in.good() && !in.eof())
    throw std::system_error{errno == 0 ? EIO : errno, std::generic_category(), "etcd: '" + file + "'"};
  return text;
}

std::shared_ptr<grpc::ChannelCredentials> credentials_for(const etcd_options& o, bool tls) {
  if (!tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = contents_of(o.ca_file);
  ssl.pem_cert_chain = contents_of(o.certificate_file);
  ssl.pem_private_key = contents_of(o.key_file);
  return grpc::SslCredentials(ssl);
}

grpc::ChannelArguments arguments(const etcd_options& o) {
  grpc::ChannelArguments a;
  // A request is sent once at most: gRPC must not repeat one, not even one that it believes to have gone nowhere.
  a.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  a.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  a.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  a.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // no connection shared with another store
  a.SetMaxReceiveMessageSize(-1);                   // what etcd has stored it may send
  a.SetMaxSendMessageSize(-1);                      // etcd refuses what is too large for it
  // etcd ends connections that ping more often than every 5 s.
  a.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 6000);
  a.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 3000);
  a.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // a watch has no data for long
  // An attempt to connect has as long as an answer; the next one comes soon.
  using std::chrono::milliseconds;
  const auto attempt = std::clamp(std::chrono::duration_cast<milliseconds>(o.answer_within),
                                  milliseconds{1000}, milliseconds{20000});
  a.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(attempt.count()));
  a.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  a.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return a;
}

}  // namespace

channels::channels(const etcd_options& o) {
  const std::vector<endpoint> where = checked_endpoints(o);
  const auto credentials = credentials_for(o, where.front().is_tls);
  const auto args = arguments(o);
  for (const endpoint& e : where) {
    auto channel = grpc::CreateCustomChannel(e.target, credentials, args);
    channel->GetState(true);
    auto stub = std::make_unique<grpc::GenericStub>(channel);
    m_all.push_back({e, std::move(channel), std::move(stub)});
  }
}

std::size_t channels::pick(std::uint64_t tried) {
  std::optional<std::size_t> untried, connecting;
  for (std::size_t n = 0; n < m_all.size(); ++n) {
    const std::size_t i = (m_current + n) % m_all.size();
    if ((tried >> i & 1) != 0) continue;
    const grpc_connectivity_state state = m_all[i].channel->GetState(true);
    if (state == GRPC_CHANNEL_READY) {
      if (tried == 0) m_current = i;
      return i;
    }
    if (!untried) untried = i;
    if (!connecting && state != GRPC_CHANNEL_TRANSIENT_FAILURE) connecting = i;
  }
  return connecting ? *connecting : untried.value_or(m_current);
}

bool channels::failed(std::size_t i) {
  if (i != m_current || m_all.size() == 1) return false;
  m_current = (m_current + 1) % m_all.size();
  return true;
}

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
