#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <app/run/cluster_place.hpp>

namespace app::lock {

// What `mortise lock` exits with besides what COMMAND exits with: as timeout(1) does.
constexpr int lost = 123;  // with --cluster: the lock was, and COMMAND was ended
constexpr int not_acquired = 124;
constexpr int own_error = 125;
constexpr int not_runnable = 126;
constexpr int not_found = 127;

struct options {
  std::string name;
  std::optional<std::int64_t> timeout_ns;  // none: waits for ever; 0: does not wait
  int conflict_code = not_acquired;
  std::vector<std::string> command;  // never empty

  bool cluster = false;
  std::int64_t ttl_ns = 10'000'000'000;
  std::int64_t grace_ns = 2'000'000'000;
  cluster_place place{};
};

// The arguments behind `mortise lock`. Read by hand: all behind COMMAND is COMMAND's, and CLI11 takes half as long to set up as
// flock(1) takes in all. Throws usage_error, answer (app/run/options.hpp).
options parse(const std::vector<std::string>& arguments);

}  // namespace app::lock
