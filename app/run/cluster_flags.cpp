#include <app/run/cluster_flags.hpp>

#include <fmt/format.h>

namespace app {

cluster_flags::cluster_flags(CLI::App& app, run_options& o) {
  const auto flag = [&](const char* name, std::string& to, const char* help) {
    m_all.push_back(app.add_option(name, to, help));
  };
  m_all.push_back(app.add_option_function<std::string>(
      "--endpoints", [&o](const std::string& list) { o.cluster.endpoints = endpoints_of(list); },
      "of --scope cluster: etcd's, http://HOST:PORT or https://HOST:PORT, several with a comma between (a private etcd)"));
  flag("--tls-ca", o.cluster.ca, "whom to trust, PEM (the system's)");
  flag("--tls-cert", o.cluster.certificate, "a client certificate, PEM");
  flag("--tls-key", o.cluster.key, "its key, PEM");
  flag("--user", o.cluster.user, "etcd's user; the password is in MORTISE_ETCD_PASSWORD");
  flag("--prefix", o.cluster.prefix,
       "before each key: a role that may read and write below it suffices (mortise/)");
  flag("--metrics", o.metrics,
       "write what locks and leases have been through to this file, as Prometheus reads it, over and over");
}

std::string cluster_flags::first_given() const {
  for (const CLI::Option* flag : m_all) {
    if (flag->count() != 0) return fmt::format("{}: {}", flag->get_name(), flag->results().front());
  }
  return {};
}

}  // namespace app
