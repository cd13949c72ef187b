#include <mortise/cluster/etcd/endpoint.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <stdexcept>

namespace mortise::inline MORTISE_ABI::cluster::etcd {

namespace {

constexpr std::size_t most_endpoints = 64;
constexpr std::size_t longest_prefix = 256;

[[noreturn]] void refuse(std::string_view text, const char* why) {
  std::string shown;
  for (const char c : text.substr(0, 100)) shown += c >= ' ' && c <= '~' ? c : '?';
  throw std::invalid_argument{"etcd endpoint '" + shown + "': " + why +
                              "; http://HOST:PORT or https://HOST:PORT is allowed"};
}

bool is_name(std::string_view host) {
  const auto may = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  return !host.empty() && host.size() <= 253 && host.front() != '-' && host.front() != '.' &&
         std::all_of(host.begin(), host.end(), may);
}

bool is_address(int family, const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(family, host.c_str(), bytes) == 1;
}

}  // namespace

endpoint parse_endpoint(std::string_view text) {
  endpoint e;
  e.text = text;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    e.is_tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    refuse(text, "it has no http:// or https://");
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || rest.ends_with(']')) refuse(text, "it has no port");
  const std::string_view digits = rest.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port == 0 || port > 65535)
    refuse(text, "its port is not 1 to 65535");
  std::string host{rest.substr(0, colon)};
  if (host.starts_with('[') && host.ends_with(']')) {
    if (!is_address(AF_INET6, host.substr(1, host.size() - 2))) refuse(text, "its host is no IPv6 address");
    e.target = "ipv6:" + host + std::string{rest.substr(colon)};
  } else if (is_address(AF_INET, host)) {
    e.target = "ipv4:" + host + std::string{rest.substr(colon)};
  } else if (is_name(host)) {
    e.target = "dns:///" + host + std::string{rest.substr(colon)};
  } else {
    refuse(text, "its host is no name and no address");
  }
  return e;
}

std::vector<endpoint> checked_endpoints(const etcd_options& o) {
  const auto refused = [](const std::string& what) { throw std::invalid_argument{"etcd: " + what}; };
  if (o.endpoints.empty() || o.endpoints.size() > most_endpoints) refused("1 to 64 endpoints are allowed");
  std::vector<endpoint> all;
  for (const std::string& text : o.endpoints) all.push_back(parse_endpoint(text));
  const bool tls = all.front().is_tls;
  for (const endpoint& e : all) {
    if (e.is_tls != tls) refused("endpoints are all http:// or all https://");
  }
  if (!tls && !(o.ca_file.empty() && o.certificate_file.empty() && o.key_file.empty()))
    refused("certificates are for https:// endpoints");
  if (o.certificate_file.empty() != o.key_file.empty())
    refused("a certificate file and a key file go together");
  if (o.user.empty() != o.password.empty()) refused("a user and a password go together");
  if (o.prefix.size() > longest_prefix) refused("a prefix has 256 bytes at most");
  if (o.answer_within < std::chrono::milliseconds{10} || o.answer_within > std::chrono::minutes{10})
    refused("answer_within is 10 ms to 10 min");
  return all;
}

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
