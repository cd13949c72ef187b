#include "made_up_etcd.hpp"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

namespace cluster_test {

namespace {

struct shared {
  mutable std::mutex guard;
  std::map<std::string, std::vector<made_up_etcd::said>> answers;
  std::map<std::string, std::vector<std::string>> tokens;

  made_up_etcd::said next(const std::string& method, std::string token) {
    const std::lock_guard hold{guard};
    tokens[method].push_back(std::move(token));
    auto& left = answers[method];
    if (left.empty()) return {12, "not made up", {}};
    const auto now = left.front();
    if (left.size() > 1) left.erase(left.begin());
    return now;
  }
};

class conversation final : public grpc::ServerGenericBidiReactor {
 public:
  explicit conversation(made_up_etcd::said s) : m_said{std::move(s)} { StartRead(&m_in); }
  void OnReadDone(bool ok) override {
    if (!ok || m_said.code != 0)
      return Finish(grpc::Status{static_cast<grpc::StatusCode>(m_said.code), m_said.text});
    const grpc::Slice slice{m_said.bytes};
    m_out = grpc::ByteBuffer{&slice, 1};
    StartWriteAndFinish(&m_out, {}, grpc::Status::OK);
  }
  void OnDone() override { delete this; }

 private:
  const made_up_etcd::said m_said;
  grpc::ByteBuffer m_in, m_out;
};

}  // namespace

class made_up_etcd::service final : public grpc::CallbackGenericService {
 public:
  shared state;
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* c) override {
    const std::string& path = c->method();
    const auto token = c->client_metadata().find("token");
    return new conversation{state.next(
        path.substr(path.rfind('/') + 1),
        token == c->client_metadata().end() ? "" : std::string{token->second.data(), token->second.size()})};
  }
};

struct made_up_etcd::parts {
  service what;
  int port = 0;
  std::unique_ptr<grpc::Server> server;
};

made_up_etcd::made_up_etcd() : m_parts{std::make_unique<parts>()} {
  grpc::ServerBuilder b;
  b.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &m_parts->port);
  b.RegisterCallbackGenericService(&m_parts->what);
  m_parts->server = b.BuildAndStart();
}

made_up_etcd::~made_up_etcd() { m_parts->server->Shutdown(); }

std::string made_up_etcd::endpoint() const { return "http://127.0.0.1:" + std::to_string(m_parts->port); }

void made_up_etcd::answers(const std::string& method, std::vector<said> with) {
  const std::lock_guard hold{m_parts->what.state.guard};
  m_parts->what.state.answers[method] = std::move(with);
}

unsigned made_up_etcd::asked(const std::string& method) const {
  return static_cast<unsigned>(tokens_of(method).size());
}

std::vector<std::string> made_up_etcd::tokens_of(const std::string& method) const {
  const std::lock_guard hold{m_parts->what.state.guard};
  const auto it = m_parts->what.state.tokens.find(method);
  return it == m_parts->what.state.tokens.end() ? std::vector<std::string>{} : it->second;
}

}  // namespace cluster_test
