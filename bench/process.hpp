#pragma once

// What the kernel says about this process: memory, page tables, CPU time; and waiting until it is quiet.

#include <sys/resource.h>

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

// User and system time of all threads so far.
inline std::int64_t cpu_ns() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) throw std::runtime_error("getrusage failed");
  const auto ns = [](const timeval& t) { return t.tv_sec * std::int64_t{1'000'000'000} + t.tv_usec * 1'000; };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
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
