#include <mortise/cluster/etcd/calls.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <mortise/cluster/etcd/bytes.hpp>
#include <mortise/cluster/etcd/messages.hpp>

namespace mortise::inline MORTISE_ABI::cluster::etcd {

class calls::one final : public event {
 public:
  one(calls& c, request r, completed done)
      : m_calls{c}, m_request{std::move(r)}, m_done{std::move(done)}, m_bytes{buffer_of(m_request.bytes)} {
    m_calls.m_all.insert(this);
  }

  void begin() {
    if (!m_request.needs_token) return attempt();
    m_calls.with_token(m_request.deadline, [this](const answer* trouble) {
      if (trouble == nullptr) return attempt();
      finish(answer{*trouble});
    });
  }
  void cancel() {
    if (m_context) m_context->TryCancel();
  }

 private:
  void attempt() {
    if (m_calls.m_engine.is_ending()) return finish({{}, "the store is being closed", {}});
    m_rpc.reset();
    m_status = {};
    m_reply.Clear();
    m_context.emplace();
    m_context->set_deadline(m_request.deadline);
    m_generation = m_calls.token_generation();
    m_calls.prepare(*m_context, m_request.needs_leader, m_request.needs_token);
    m_endpoint = m_calls.m_channels.pick(m_tried);
    m_rpc = m_calls.m_channels.stub(m_endpoint)
                .PrepareUnaryCall(&*m_context, m_request.method, m_bytes, &m_calls.m_engine.queue());
    ++m_calls.m_engine.counted.requests;
    m_rpc->StartCall();
    m_calls.m_engine.began();
    m_rpc->Finish(&m_reply, &m_status, this);
  }

  void happened(bool) override {
    const int code = m_status.error_code();
    answer a{judge(code, m_status.error_message()), {}, {}};
    if (a.what.how == verdict::ok) {
      a.bytes = bytes_of(m_reply);
      return finish(std::move(a));
    }
    const bool silent = code == grpc::StatusCode::DEADLINE_EXCEEDED;
    if ((silent || a.what.elsewhere) && m_calls.m_channels.failed(m_endpoint))
      ++m_calls.m_engine.counted.failovers;
    if (silent && m_calls.on_silence) m_calls.on_silence(m_endpoint);
    if (a.what.surely_not_done) {  // C1
      if (a.what.needs_token && m_request.needs_token && m_calls.m_has_user &&
          !std::exchange(m_has_new_token, true)) {
        m_calls.token_was_refused(m_generation);
        return begin();
      }
      m_tried |= std::uint64_t{1} << m_endpoint;
      if (a.what.elsewhere && m_tried != (~std::uint64_t{0} >> (64 - m_calls.m_channels.count())) &&
          !m_calls.m_engine.is_ending())
        return attempt();
    }
    a.text = silent ? line_of(m_calls.m_channels.name(m_endpoint), code, "no answer in time")
                    : line_of(m_calls.m_channels.name(m_endpoint), code, m_status.error_message());
    finish(std::move(a));
  }

  void finish(answer&& a) {
    const std::unique_ptr<one> self{this};
    m_calls.m_all.erase(this);
    if (a.what.how == verdict::unknown) ++m_calls.m_engine.counted.unknown;
    if (a.what.how == verdict::refused) ++m_calls.m_engine.counted.refused;
    m_done(std::move(a));
  }

  calls& m_calls;
  const request m_request;
  const completed m_done;
  grpc::ByteBuffer m_bytes;
  std::optional<grpc::ClientContext> m_context;
  grpc::ByteBuffer m_reply;
  grpc::Status m_status;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> m_rpc;
  std::size_t m_endpoint = 0;
  std::uint64_t m_tried = 0;
  std::uint64_t m_generation = 0;
  bool m_has_new_token = false;
};

calls::calls(engine& e, channels& c, const etcd_options& o)
    : m_engine{e}, m_channels{c}, m_options{o}, m_has_user{!o.user.empty()}, m_token{m_has_user} {}

calls::~calls() = default;

void calls::start(request r, completed done) { (new one{*this, std::move(r), std::move(done)})->begin(); }

void calls::cancel_all() {
  for (one* c : m_all) c->cancel();
}

gpr_timespec calls::deadline() const noexcept {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(m_options.answer_within.count(), GPR_TIMESPAN));
}

void calls::prepare(grpc::ClientContext& c, bool needs_leader, bool with_token) const {
  if (needs_leader) c.AddMetadata("hasleader", "true");
  if (with_token && !m_token.text().empty()) c.AddMetadata("token", m_token.text());
}

void calls::with_token(gpr_timespec deadline, token::waiting ready) {
  if (m_token.is_there()) return ready(nullptr);
  m_token.wait(std::move(ready));
  if (m_token.is_asked_for()) return;
  m_token.asked();
  ++m_engine.counted.authentications;
  start({.method = "/etcdserverpb.Auth/Authenticate",
         .bytes = authenticate_request(m_options.user, m_options.password),
         .deadline = deadline,
         .needs_token = false},
        [this](answer&& a) { authenticated(std::move(a)); });
}

void calls::authenticated(answer a) {
  std::vector<token::waiting> who;
  const answer* trouble = nullptr;
  if (a.what.how == verdict::ok) {
    if (auto text = token_of(a.bytes)) {
      who = m_token.came(std::move(*text));
    } else {
      a = {{}, "etcd: an answer without a token", {}};
      trouble = &a;
    }
  } else if (a.what.no_auth) {
    who = m_token.is_not_needed();
  } else {
    trouble = &a;
  }
  if (trouble != nullptr) who = m_token.did_not_come();
  for (const auto& ready : who) ready(trouble);
}

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
