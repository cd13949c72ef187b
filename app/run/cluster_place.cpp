#include <app/run/cluster_place.hpp>
#include <app/run/options.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

namespace app {
namespace {

constexpr std::string_view plain = "http://", secret = "https://";

// HOST:PORT, where HOST may be [in brackets].
bool is_host_and_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text.size() - colon < 2 || text.size() - colon > 6)
    return false;
  return text.find_first_not_of("0123456789", colon + 1) == std::string_view::npos &&
         text.find_first_of("/ ,") == std::string_view::npos;
}

}  // namespace

std::vector<std::string> endpoints_of(const std::string& list) {
  std::vector<std::string> all;
  std::size_t from = 0;
  for (std::size_t comma; (comma = list.find(',', from)) != std::string::npos; from = comma + 1)
    all.push_back(list.substr(from, comma - from));
  all.push_back(list.substr(from));
  return all;
}

void check(const cluster_place& p) {
  for (const std::string& e : p.endpoints) {
    const bool is_secret = e.starts_with(secret);
    if ((!is_secret && !e.starts_with(plain)) ||
        !is_host_and_port(std::string_view{e}.substr(is_secret ? secret.size() : plain.size()))) {
      throw usage_error(fmt::format(
          "--endpoints: {} is none; allowed: http://HOST:PORT or https://HOST:PORT, several with a comma between",
          e.empty() ? "''" : e));
    }
    if (is_secret != p.endpoints[0].starts_with(secret))
      throw usage_error(fmt::format("--endpoints: {} and {}: all are http or all https", p.endpoints[0], e));
  }
  const bool by_tls = !p.is_private() && p.endpoints[0].starts_with(secret);
  for (const auto& [flag, file] :
       {std::pair{"--tls-ca", &p.ca}, {"--tls-cert", &p.certificate}, {"--tls-key", &p.key}}) {
    if (!file->empty() && !by_tls)
      throw usage_error(fmt::format("{}: {} works with --endpoints https://... only", flag, *file));
  }
  if (p.certificate.empty() != p.key.empty()) {
    throw usage_error(p.key.empty() ? fmt::format("--tls-cert: {} needs --tls-key", p.certificate)
                                    : fmt::format("--tls-key: {} needs --tls-cert", p.key));
  }
  if (p.user.empty()) return;
  if (p.is_private()) throw usage_error(fmt::format("--user: {} works with --endpoints only", p.user));
  const char* const password = std::getenv("MORTISE_ETCD_PASSWORD");
  if (password == nullptr || *password == '\0')
    throw usage_error(fmt::format("--user: {} needs a password in MORTISE_ETCD_PASSWORD", p.user));
}

}  // namespace app
