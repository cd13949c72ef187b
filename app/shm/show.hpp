#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <mortise/shm/listing.hpp>
#include <nlohmann/json.hpp>

namespace app::shm {

// A line each, below a line of headings. `now_ns` is on CLOCK_REALTIME.
std::string table(const std::vector<mortise::shm::region_info>& all, std::uint64_t now_ns);

// All of one.
std::string details(const mortise::shm::region_info& r, std::uint64_t now_ns);

nlohmann::ordered_json as_json(const mortise::shm::region_info& r, std::uint64_t now_ns);

// 59s, 59min, 23h, 400d: rounded down; of the future: 0s.
std::string age(std::uint64_t from_ns, std::uint64_t now_ns);

}  // namespace app::shm
