#pragma once

// What a session has been through as Prometheus's text format, for a file that node_exporter's textfile collector or any web server hands on.
//
//     mortise::cluster::prometheus_page page;
//     page.add(here.counted(), {{"process", "1"}});
//     page.write("/var/lib/node_exporter/mortise.prom");

#include <string>
#include <utility>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/cluster/numbers.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// The numbers of one or more sessions; those of locks have the label `lock`. Format: text, version 0.0.4
// (prometheus.io/docs/instrumenting/exposition_formats).
//
// Promises
// - CP1 Every count is there, and every sample and each metric once. Whoever reads the file sees a whole page, this one or the one before.
// Requires: two that are added differ in their labels, whose names are [a-zA-Z_][a-zA-Z0-9_]* and none of `lock`, `kind`, `outcome`, `as`, `le`.
class prometheus_page {
 public:
  using labels = std::vector<std::pair<std::string, std::string>>;

  MORTISE_API void add(const session_numbers& n, const labels& l = {});
  MORTISE_API std::string text() const;

  // To a file beside it, which is then renamed. Blocks: for the file system. Throws: std::system_error, and `file` is as it was.
  MORTISE_API void write(const std::string& file) const;

 private:
  struct of_lock {
    std::string labels;
    numbers counted;
  };
  struct of_session {
    std::string labels;
    lease_numbers counted;
  };
  std::vector<of_lock> m_locks;
  std::vector<of_session> m_sessions;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
