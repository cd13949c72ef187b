#pragma once

// What the kernel says about this process: cores, memory, page tables, CPU time; and waiting until it is quiet.

#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace bench {

// In bytes, from /proc/self/status.
struct memory {
  std::int64_t resident = 0;
  std::int64_t page_tables = 0;
};

inline memory read_memory() {
  memory found;
  std::ifstream status{"/proc/self/status"};
  for (std::string key; status >> key; std::getline(status, key)) {
    std::int64_t kilobytes = 0;
    if (key == "VmRSS:" && status >> kilobytes) found.resident = kilobytes * 1024;
    if (key == "VmPTE:" && status >> kilobytes) found.page_tables = kilobytes * 1024;
  }
  if (found.resident == 0) throw std::runtime_error("/proc/self/status does not say VmRSS");
  return found;
}

// The cores that this process may run on.
inline unsigned usable_cores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return std::thread::hardware_concurrency();
  return static_cast<unsigned>(CPU_COUNT(&mask));
}

// Of those cores the caller, a thread, stays on the `nth`, if there are so many. Best effort.
inline void stay_on_core(unsigned nth) {
  cpu_set_t mask, only;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &mask) || nth-- != 0) continue;
    CPU_ZERO(&only);
    CPU_SET(core, &only);
    sched_setaffinity(0, sizeof only, &only);
    return;
  }
}

// User and system time of all threads so far.
inline std::int64_t cpu_ns() {
  timespec t{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0) throw std::runtime_error("the CPU time is not known");
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

// The most memory that was ever resident.
inline std::int64_t rss_peak_bytes() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) throw std::runtime_error("getrusage failed");
  return std::int64_t{usage.ru_maxrss} * 1024;
}

// Returns once the process has used less than 10 ms of CPU in 200 ms: whatever was started is asleep by now.
inline void settle() {
  for (int tries = 0; tries < 50; ++tries) {
    const std::int64_t before = cpu_ns();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    if (cpu_ns() - before < 10'000'000) return;
  }
  throw std::runtime_error("the process did not come to rest within 10 s");
}

}  // namespace bench
