#pragma once

// The flags of --scope cluster.

#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <app/run/options.hpp>

namespace app {

class cluster_flags {
 public:
  cluster_flags(CLI::App& app, run_options& o);
  // Of those that were given, one as it was typed; or "".
  std::string first_given() const;

 private:
  std::vector<const CLI::Option*> m_all;
};

}  // namespace app
