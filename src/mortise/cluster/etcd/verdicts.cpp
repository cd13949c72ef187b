#include <mortise/cluster/etcd/verdicts.hpp>

#include <algorithm>

namespace mortise::inline MORTISE_ABI::cluster::etcd {

namespace {

// gRPC's numbers
enum code : int {
  cancelled = 1,
  unknown_code = 2,
  invalid_argument = 3,
  not_found = 5,
  already_exists = 6,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  out_of_range = 11,
  unimplemented = 12,
  unavailable = 14,
  data_loss = 15,
  unauthenticated = 16,
};

bool is(std::string_view text, std::string_view etcds) { return text == etcds; }

judgement refused() { return {.how = verdict::refused, .surely_not_done = true}; }
judgement try_again_elsewhere() { return {.surely_not_done = true, .elsewhere = true}; }
judgement wants_token() { return {.how = verdict::refused, .surely_not_done = true, .needs_token = true}; }

}  // namespace

judgement judge(int c, std::string_view text) noexcept {
  if (c == 0) return {.how = verdict::ok};
  // Said before anything is proposed. Most go away by themselves.
  if (is(text, "etcdserver: too many requests") || is(text, "raft proposal dropped") ||
      is(text, "etcdserver: no leader") || is(text, "etcdserver: not capable") ||
      is(text, "etcdserver: rpc not supported for learner"))
    return try_again_elsewhere();
  switch (c) {
    case unavailable:
      // gRPC's, of a request that was given to no connection.
      if (text.starts_with("failed to connect to all addresses") ||
          text.starts_with("DNS resolution failed") || text.starts_with("empty address list"))
        return try_again_elsewhere();
      return {.elsewhere = true};
    case unauthenticated: return wants_token();
    case invalid_argument:
      if (is(text, "etcdserver: user name is empty") || is(text, "etcdserver: revision of auth store is old"))
        return wants_token();
      return refused();
    case failed_precondition: {
      judgement j = refused();
      j.no_auth = is(text, "etcdserver: authentication is not enabled");
      return j;
    }
    case not_found: {
      judgement j = refused();
      j.no_such_lease = is(text, "etcdserver: requested lease not found");
      return j;
    }
    case resource_exhausted:
      // etcd says that it has no space of what it has done, too (etcdserver/apply.go, quotaApplierV3).
      if (text.starts_with("grpc: received message larger than max")) return refused();
      return {};
    case already_exists:
    case permission_denied:
    case out_of_range:
    case unimplemented:
    case data_loss: return refused();
    default: return {};
  }
}

std::string one_line(std::string_view text) {
  constexpr std::size_t longest = 500;
  std::string line;
  for (const char c : text.substr(0, longest))
    line += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
  return line;
}

namespace {

// gRPC: "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Connection refused". What is behind the address, and a guess where
// that says nothing to whoever set it up.
std::string why_no_connection(std::string_view text, bool is_tls) {
  constexpr std::string_view last = "last error: ";
  if (const auto at = text.find(last); at != std::string_view::npos) {
    text.remove_prefix(at + last.size());
    for (int i = 0; i < 2; ++i) {
      const auto end = text.find(": ");
      if (end != std::string_view::npos) text.remove_prefix(end + 2);
    }
  }
  std::string why = "cannot connect: " + one_line(text);
  if (text.find("certificate verify failed") != std::string_view::npos) {
    why += " (its certificate is not of an authority in ca_file)";
  } else if (is_tls && text == "Endpoint read failed") {
    why += " (it may ask for another client certificate)";
  } else if (!is_tls && text == "Socket closed") {
    why += " (it may be an https:// endpoint)";
  }
  return why;
}

}  // namespace

std::string line_of(std::string_view endpoint, int c, std::string_view text) {
  std::string line = "etcd at ";
  line += endpoint;
  line += ": ";
  if (text.starts_with("etcdserver: ")) text.remove_prefix(12);
  if (text.empty()) return line + "no answer, status " + std::to_string(c);
  if (text.starts_with("failed to connect to all addresses"))
    return line + why_no_connection(text, endpoint.starts_with("https://"));
  return line + one_line(text);
}

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
