// `mortise-cluster`: what needs gRPC, so that the other commands of mortise do not load it. mortise becomes it (hand_over.hpp).
#include <app/cluster/lock.hpp>
#include <app/cluster/run.hpp>
#include <app/run/command.hpp>
#include <app/run/options.hpp>

#include <cstdlib>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  ::setenv("GRPC_VERBOSITY", "NONE", 0);  // an error is one line, and it is ours
  const std::vector<std::string> words(argv + 1, argv + argc);
  return app::told([&] {
    if (!words.empty() && words[0] == "run")
      return app::run_command({words.begin() + 1, words.end()}, app::cluster::run);
    if (!words.empty() && words[0] == "lock") return app::cluster::lock({words.begin() + 1, words.end()});
    throw app::usage_error(
        "mortise-cluster is a part of mortise: mortise run --scope cluster, mortise lock --cluster");
  });
}
