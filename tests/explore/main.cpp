// The main function of all models: gtest's, and --replay=SCHEDULE, --memory=tso|weak, --no-reduction.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string_view>

#include <explore/settings.hpp>

namespace explore {
run_settings& settings() {
  static run_settings s;
  return s;
}
}  // namespace explore

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  auto& s = explore::settings();
  s.program = argv[0];
  for (int i = 1; i < argc; ++i) {
    const std::string_view a = argv[i];
    if (a.starts_with("--replay=")) {
      s.replay = a.substr(9);
    } else if (a == "--memory=tso" || a == "--memory=weak") {
      s.tso = a == "--memory=tso";
      s.weak = !s.tso;
    } else if (a == "--no-reduction") {
      s.reduction = false;
    } else {
      std::cerr
          << "'" << a
          << "' is none of --replay=SCHEDULE, --memory=tso, --memory=weak, --no-reduction, and gtest's flags\n";
      return 2;
    }
  }
  const auto number = [](const char* name, unsigned long otherwise) {
    const char* const v = std::getenv(name);
    return v == nullptr ? otherwise : std::strtoul(v + std::strspn(v, "+x"), nullptr, 10);
  };
  s.more_preemptions = static_cast<int>(number("MORTISE_MODEL_BOUND", 0));
  s.more_random_runs = static_cast<unsigned>(number("MORTISE_MODEL_RANDOM", 1));
  s.seed = number("MORTISE_MODEL_SEED", 1);
  return RUN_ALL_TESTS();
}
