#include <mortise/cluster/etcd/watches.hpp>

#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include <grpcpp/alarm.h>

#include <mortise/cluster/etcd/bytes.hpp>
#include <mortise/cluster/etcd/messages.hpp>

namespace mortise::inline MORTISE_ABI::cluster::etcd {

// One stream, from waiting for a token to its last event, after which it deletes itself.
//
// W1: one write and one read are under way at most, as gRPC demands.
// W2: etcd answers requests for watches in their order, and one that it does not answer in time breaks the stream.
// W3: gRPC's Finish is called once, when nothing else is under way.
class watches::stream {
 public:
  explicit stream(watches& w) : m_watches{w} {}

  void begin() {
    m_calls().with_token(m_calls().deadline(), [this](const answer* trouble) { token_came(trouble); });
  }

  void add(std::int64_t id, const std::string& key, revision from, completion<watch_end> done) {
    m_all.emplace(id, std::move(done));
    m_unconfirmed.push_back({id, m_calls().deadline()});
    m_out.push_back(watch_request(id, key, from));
    watch_the_time();
    write();
  }

  void forget(std::int64_t id) {
    const auto it = m_all.find(id);
    if (it == m_all.end()) return;
    m_engine().later([done = std::move(it->second)] {});  // let go of without the lock
    m_all.erase(it);
    m_out.push_back(forget_request(id));
    write();
  }

  std::optional<std::size_t> endpoint() const noexcept { return m_endpoint; }

  void fail() {
    if (m_phase == phase::fails) return;
    m_phase = phase::fails;
    if (m_watches.m_stream == this) m_watches.m_stream = nullptr;
    if (m_context) m_context->TryCancel();
    if (m_armed) m_alarm.Cancel();
    for (auto& [id, done] : m_all) end(std::move(done), watch_end::broken);
    m_all.clear();
  }

 private:
  enum class phase : unsigned char { waits_for_token, starts, open, fails };
  struct step final : event {
    stream& s;
    void (stream::*what)(bool);
    step(stream& st, void (stream::*w)(bool)) : s{st}, what{w} {}
    void happened(bool ok) override {
      --s.m_under_way;
      (s.*what)(ok);
      s.go_on();
    }
  };

  engine& m_engine() const noexcept { return m_watches.m_engine; }
  calls& m_calls() const noexcept { return m_watches.m_calls; }

  void begins() {
    ++m_under_way;
    m_engine().began();
  }

  void token_came(const answer* trouble) {
    m_has_waited = true;
    if (trouble != nullptr || m_phase == phase::fails || m_engine().is_ending()) {
      fail();
      return go_on();
    }
    m_phase = phase::starts;
    m_endpoint = m_watches.m_channels.pick(0);
    m_generation = m_calls().token_generation();
    m_context.emplace();
    m_calls().prepare(*m_context, true, true);
    m_rpc = m_watches.m_channels.stub(*m_endpoint)
                .PrepareCall(&*m_context, "/etcdserverpb.Watch/Watch", &m_engine().queue());
    begins();
    ++m_engine().counted.streams;
    m_rpc->StartCall(&m_started);
  }

  void started(bool ok) {
    if (!ok) return fail();
    if (m_phase == phase::fails) return;
    m_phase = phase::open;
    read();
    write();
  }

  void read() {
    begins();
    m_rpc->Read(&m_in, &m_was_read);
  }
  void was_read(bool ok) {
    const std::optional<watch_news> news = ok ? watch_reply(bytes_of(m_in)) : std::nullopt;
    if (!news || !heard(*news)) return fail();
    if (m_phase == phase::open) read();
  }

  void write() {
    if (m_phase != phase::open || m_writes || m_out.empty()) return;
    m_writes = true;
    begins();
    m_rpc->Write(buffer_of(m_out.front()), &m_was_written);
    m_out.pop_front();
  }
  void was_written(bool ok) {
    m_writes = false;
    if (!ok) return fail();
    write();
  }

  // False: nothing can be expected of this stream any more.
  bool heard(const watch_news& n) {
    std::int64_t id = n.id;
    if (n.is_created) {
      if (m_unconfirmed.empty()) return false;
      const std::int64_t asked = m_unconfirmed.front().id;
      m_unconfirmed.pop_front();
      if (n.id >= 0 && n.id != asked) return false;
      id = asked;
      if (n.id < 0 && judge_reason(n.why)) return false;
    }
    const bool ends = n.was_erased || n.has_ended || (n.is_created && n.id < 0);
    const auto it = m_all.find(id);
    if (!ends || it == m_all.end()) return true;
    end(std::move(it->second), n.was_erased ? watch_end::erased : watch_end::broken);
    m_all.erase(it);
    if (!n.has_ended) {
      m_out.push_back(forget_request(id));
      write();
    }
    return true;
  }

  // Whether it was for want of a good token, which a stream has for its lifetime.
  bool judge_reason(const std::string& why) {
    constexpr int invalid_argument = 3, unauthenticated = 16;
    const bool token = why.find("invalid auth token") != std::string::npos
                           ? judge(unauthenticated, why).needs_token
                           : judge(invalid_argument, text_in(why)).needs_token;
    if (token) m_calls().token_was_refused(m_generation);
    return token;
  }
  // etcd writes "rpc error: code = X desc = TEXT" there.
  static std::string text_in(const std::string& why) {
    const std::size_t at = why.find("desc = ");
    return at == std::string::npos ? why : why.substr(at + 7);
  }

  void watch_the_time() {
    if (m_armed || m_unconfirmed.empty() || m_phase == phase::fails) return;
    m_armed = true;
    begins();
    m_alarm.Set(&m_engine().queue(), m_unconfirmed.front().deadline, &m_rang);
  }
  void rang(bool) {
    m_armed = false;
    if (m_phase == phase::fails || m_unconfirmed.empty()) return;
    if (gpr_time_cmp(m_unconfirmed.front().deadline, gpr_now(GPR_CLOCK_MONOTONIC)) > 0)
      return watch_the_time();
    if (m_endpoint && m_watches.m_channels.failed(*m_endpoint)) ++m_engine().counted.failovers;
    fail();
  }

  void finished(bool) { m_has_finished = true; }

  // W3
  void go_on() {
    if (m_phase != phase::fails || m_under_way != 0 || !m_has_waited) return;
    if (m_rpc && !m_has_finished) {
      begins();
      m_rpc->Finish(&m_status, &m_is_finished);
      return;
    }
    delete this;
  }

  void end(completion<watch_end> done, watch_end how) {
    m_engine().later([done = std::move(done), how] { done(how); });
  }

  struct unconfirmed {
    std::int64_t id;
    gpr_timespec deadline;
  };
  watches& m_watches;
  phase m_phase = phase::waits_for_token;
  bool m_has_waited = false, m_has_finished = false, m_writes = false, m_armed = false;
  unsigned m_under_way = 0;
  std::uint64_t m_generation = 0;
  std::optional<std::size_t> m_endpoint;
  std::unordered_map<std::int64_t, completion<watch_end>> m_all;
  std::deque<unconfirmed> m_unconfirmed;
  std::deque<std::string> m_out;
  std::optional<grpc::ClientContext> m_context;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> m_rpc;
  grpc::ByteBuffer m_in;
  grpc::Status m_status;
  grpc::Alarm m_alarm;
  step m_started{*this, &stream::started}, m_was_read{*this, &stream::was_read},
      m_was_written{*this, &stream::was_written}, m_rang{*this, &stream::rang},
      m_is_finished{*this, &stream::finished};
};

watches::watches(engine& e, channels& c, calls& requests) : m_engine{e}, m_channels{c}, m_calls{requests} {}

watches::~watches() = default;

void watches::add(std::int64_t id, std::string key, revision from, completion<watch_end> done) {
  if (m_engine.is_ending()) return m_engine.later([done = std::move(done)] { done(watch_end::broken); });
  ++m_engine.counted.watches;
  const bool is_new = m_stream == nullptr;
  if (is_new) m_stream = new stream{*this};
  stream* const s = m_stream;
  s->add(id, key, from, std::move(done));
  if (is_new) s->begin();
}

void watches::forget(std::int64_t id) {
  if (m_stream != nullptr) m_stream->forget(id);
}

void watches::break_those_on(std::size_t endpoint) {
  if (m_stream != nullptr && m_stream->endpoint() == endpoint) m_stream->fail();
}

void watches::cancel_all() {
  if (m_stream != nullptr) m_stream->fail();
}

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
