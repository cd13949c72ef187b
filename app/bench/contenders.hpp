#pragma once

#include <app/bench/cell.hpp>
#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace app::bench {

// The contender programs of a build or an installation, and what they say of themselves.
class contenders {
 public:
  // In `folder` and its peers/go and peers/rust; an empty one is looked for beside the command. Throws
  // std::runtime_error when there is none.
  explicit contenders(std::string folder);

  // Asks every contender of the plan for its list, once.
  void ask(const std::vector<group>& plan);

  // Why the cell cannot be measured: "skipped: ..." or "failed: ..."; empty if it can.
  std::string obstacle(const cell& c) const;
  // Requires: no obstacle.
  std::vector<std::string> command(const cell& c, unsigned repetition) const;

  // Name and version of those that answered.
  const std::map<std::string, std::string>& versions() const { return m_versions; }
  const std::string& folder() const { return m_folder; }

 private:
  struct known {
    std::string program;  // empty: not there
    std::string trouble;
    std::map<std::string, std::vector<std::string>> kinds;  // by workload
  };
  known ask(const std::string& name);
  std::string find(const std::string& name) const;

  std::string m_folder;
  std::map<std::string, known> m_known;
  std::map<std::string, std::string> m_versions;
};

}  // namespace app::bench
