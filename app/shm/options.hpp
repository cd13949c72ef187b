#pragma once

#include <string>
#include <vector>

namespace app::shm {

enum class action { list, inspect, remove };

struct options {
  action what = action::list;
  std::string name;  // but for list
  bool json = false;
};

// The arguments behind `mortise shm`. Throws usage_error, answer (app/run/options.hpp).
options parse(const std::vector<std::string>& arguments);

}  // namespace app::shm
