#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace app::bench {

// What it is measured on: the build of the contenders in `folder`, their versions, kernel, processor, load, date.
nlohmann::ordered_json describe_machine(const std::string& folder,
                                        const std::map<std::string, std::string>& versions);

unsigned usable_cores();

}  // namespace app::bench
