#include <app/bench/child.hpp>
#include <app/bench/contenders.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

namespace app::bench {
namespace {

namespace fs = std::filesystem;

fs::path own_program() { return fs::read_symlink("/proc/self/exe"); }

// The seed's program on our tasks is the command itself.
bool is_the_command(const cell& c) { return c.workload == "seed" && c.contender == "mortise"; }

std::vector<std::string> run_command(const cell& c) {
  std::vector<std::string> words{own_program().string(), "run", "--json", "--tasks", c.kind};
  for (const auto& [key, value] : c.given) {
    words.push_back("--" + key);
    words.push_back(std::to_string(value));
  }
  for (const auto& [key, value] : c.effort) {
    if (key != "for_ms") continue;
    words.emplace_back("--for");
    words.push_back(fmt::format("{}ms", value));
  }
  return words;
}

}  // namespace

contenders::contenders(std::string folder) : m_folder{std::move(folder)} {
  if (!m_folder.empty()) {
    if (!fs::is_directory(m_folder)) throw std::runtime_error(fmt::format("{}: no such folder", m_folder));
    return;
  }
  const fs::path beside = own_program().parent_path() / "bench";
  const fs::path installed = own_program().parent_path().parent_path() / "libexec/mortise/bench";
  for (const fs::path& each : {beside, installed}) {
    if (fs::exists(each / "contender-mortise")) m_folder = each.string();
    if (!m_folder.empty()) return;
  }
  throw std::runtime_error(fmt::format(
      "no contenders in {} or {}; build with -DMORTISE_BUILD_BENCH=ON, or name their folder with --programs",
      beside.string(), installed.string()));
}

std::string contenders::find(const std::string& name) const {
  for (const char* part : {"", "peers/go", "peers/rust"}) {
    const fs::path program = fs::path(m_folder) / part / ("contender-" + name);
    if (::access(program.c_str(), X_OK) == 0 && fs::is_regular_file(program)) return program.string();
  }
  return {};
}

contenders::known contenders::ask(const std::string& name) {
  known k;
  k.program = find(name);
  if (k.program.empty()) {
    // Ours and the measure of all ratios are there wherever anything is.
    const bool must = name == "mortise" || name == "std" || name == "pthread_robust";
    k.trouble = fmt::format("{}: contender-{} is not built", must ? "failed" : "skipped", name);
    return k;
  }
  try {
    const child_result answer = run_child({k.program, "--list"}, std::chrono::seconds(10));
    if (!answer.well()) {
      k.trouble = fmt::format("failed: --list: {}", answer.why());
      return k;
    }
    const auto list = nlohmann::json::parse(answer.out, nullptr, false);
    m_versions[name] = list.at("version").get<std::string>();
    k.kinds = list.at("workloads").get<std::map<std::string, std::vector<std::string>>>();
  } catch (const nlohmann::json::exception&) {
    k.trouble = "failed: what it prints with --list is not understood";
  } catch (const std::system_error& e) {
    k.trouble = fmt::format("failed: {}", e.what());
  }
  return k;
}

void contenders::ask(const std::vector<group>& plan) {
  for (const group& g : plan) {
    for (const cell& c : g.cells) {
      if (!m_known.contains(c.contender)) m_known.emplace(c.contender, ask(c.contender));
    }
  }
}

std::string contenders::obstacle(const cell& c) const {
  if (is_the_command(c)) return {};
  const known& k = m_known.at(c.contender);
  if (!k.trouble.empty()) return k.trouble;
  const auto kinds = k.kinds.find(c.workload);
  if (kinds == k.kinds.end()) return fmt::format("skipped: {} has no {}", c.contender, c.workload);
  if (std::find(kinds->second.begin(), kinds->second.end(), c.kind) == kinds->second.end())
    return fmt::format("skipped: {} has no {} on a {}", c.contender, c.workload, c.kind);
  return {};
}

std::vector<std::string> contenders::command(const cell& c, unsigned repetition) const {
  if (is_the_command(c)) return run_command(c);
  std::vector<std::string> words{m_known.at(c.contender).program, c.workload, "kind:" + c.kind};
  for (const params* all : {&c.given, &c.effort}) {
    for (const auto& [key, value] : *all) words.push_back(fmt::format("{}:{}", key, value));
  }
  // Another order of the parties each time.
  if (c.workload == "contended" || c.workload == "mixed" || c.workload == "hog" ||
      c.workload == "read_mostly" || c.workload == "processes_contended")
    words.push_back(fmt::format("seed:{}", repetition + 1));
  if (c.workload == "processes_command") words.push_back("command:" + own_program().string());
  return words;
}

}  // namespace app::bench
