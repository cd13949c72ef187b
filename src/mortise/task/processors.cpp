#include <mortise/task/processors.hpp>

#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {

constexpr unsigned most = 1024;

std::string first_line(const std::string& path) {
  char line[256] = "";
  if (std::FILE* f = std::fopen(path.c_str(), "re"); f != nullptr) {
    if (std::fgets(line, sizeof line, f) == nullptr) line[0] = '\0';
    std::fclose(f);
  }
  return line;
}

// The path of this process's cgroup in the hierarchy of `controller` ("" for version 2); empty: not in one.
std::string cgroup_path(const char* controller) {
  std::string found;
  std::FILE* const f = std::fopen("/proc/self/cgroup", "re");
  if (f == nullptr) return found;
  char line[4096];
  while (std::fgets(line, sizeof line, f) != nullptr) {
    line[std::strcspn(line, "\n")] = '\0';
    char* const names = std::strchr(line, ':');
    char* const path = names == nullptr ? nullptr : std::strchr(names + 1, ':');
    if (path == nullptr) continue;
    *path = '\0';
    std::string list(1, ',');
    list.append(names + 1).append(1, ',');
    std::string wanted(1, ',');
    wanted.append(controller).append(1, ',');
    if (list.find(wanted) != std::string::npos) found = path + 1;
  }
  std::fclose(f);
  return found;
}

// A quota holds for all groups below the one that sets it.
unsigned v2_quota() {
  unsigned least = 0;
  std::string path = cgroup_path("");
  for (;;) {
    const unsigned here = quota_of(first_line("/sys/fs/cgroup" + path + "/cpu.max").c_str());
    if (here != 0) least = least == 0 ? here : std::min(least, here);
    const auto slash = path.find_last_of('/');
    if (slash == std::string::npos || path == "/") return least;
    path.resize(slash);
  }
}

unsigned v1_quota() {
  const std::string path = "/sys/fs/cgroup/cpu" + cgroup_path("cpu");
  const std::string quota = first_line(path + "/cpu.cfs_quota_us");
  if (quota.empty() || quota[0] == '-') return 0;
  std::string both = quota.substr(0, quota.find('\n'));
  both.append(1, ' ').append(first_line(path + "/cpu.cfs_period_us"));
  return quota_of(both.c_str());
}

unsigned affinity() noexcept {
  unsigned count = 0;
  cpu_set_t* const set = CPU_ALLOC(4096);
  if (set != nullptr && ::sched_getaffinity(0, CPU_ALLOC_SIZE(4096), set) == 0) {
    count = static_cast<unsigned>(CPU_COUNT_S(CPU_ALLOC_SIZE(4096), set));
  }
  CPU_FREE(set);
  return count;
}

}  // namespace

unsigned quota_of(const char* cpu_max) noexcept {
  char* end = nullptr;
  const long quota = std::strtol(cpu_max, &end, 10);
  if (end == cpu_max || quota <= 0) return 0;  // "max", or no such file
  const long period = std::strtol(end, nullptr, 10);
  if (period <= 0) return 0;
  return static_cast<unsigned>(std::min<long>((quota + period - 1) / period, most));
}

unsigned usable_processors() noexcept {
  unsigned n = std::max(affinity(), 1u);
  try {
    if (const unsigned q = v2_quota(); q != 0) n = std::min(n, q);
    if (const unsigned q = v1_quota(); q != 0) n = std::min(n, q);
  } catch (...) {  // no memory to read the quota: affinity it is
  }
  return std::clamp(n, 1u, most);
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
