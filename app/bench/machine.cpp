#include <app/bench/machine.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include <ctime>
#include <fstream>
#include <thread>

#include <mortise/base/version.hpp>

namespace app::bench {
namespace {

std::string processor() {
  std::ifstream info{"/proc/cpuinfo"};
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  utsname system{};
  return ::uname(&system) == 0 ? system.machine : "unknown";
}

std::string kernel() {
  utsname system{};
  return ::uname(&system) == 0 ? fmt::format("{} {}", system.sysname, system.release) : "unknown";
}

}  // namespace

unsigned usable_cores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0)
    return std::max(1U, std::thread::hardware_concurrency());
  return static_cast<unsigned>(CPU_COUNT(&mask));
}

nlohmann::ordered_json describe_machine(const std::string& folder,
                                        const std::map<std::string, std::string>& versions) {
  nlohmann::ordered_json m;
  m["version"] = MORTISE_VERSION;
  m["date"] = fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::time(nullptr)));
  std::ifstream written{folder + "/build_info.json"};
  const auto build = nlohmann::ordered_json::parse(written, nullptr, false);
  for (const char* key : {"compiler", "flags", "build", "checked"})
    m[key] = build.is_object() && build.contains(key) ? build[key] : nlohmann::ordered_json("unknown");
  m["kernel"] = kernel();
  m["cpu"] = processor();
  m["cores"] = usable_cores();
  double load[1] = {0};
  m["load_1min"] = ::getloadavg(load, 1) == 1 ? load[0] : 0.0;
  m["contenders"] = versions;
  return m;
}

}  // namespace app::bench
