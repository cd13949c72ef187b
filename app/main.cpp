// The `mortise` command.
#include <fmt/format.h>
#include <app/bench/command.hpp>
#include <app/cluster/hand_over.hpp>
#include <app/lock/command.hpp>
#include <app/run/command.hpp>
#include <app/run/options.hpp>
#include <app/run/workload.hpp>
#include <app/shm/command.hpp>

#include <string>
#include <vector>

#include <mortise/base/sanitizers.hpp>
#include <mortise/base/version.hpp>

namespace {

constexpr const char* examples =
    "mortise: one mutex for coroutines, fibers, threads, processes and machines\n\n"
    "  mortise run                                            the seed's program: 100 readers, 10 writers\n"
    "  mortise run --tasks thread --lock std                  the same on threads and std::mutex\n"
    "  mortise run --tasks coroutine --readers 1000000 --json a million of them, as JSON\n"
    "  mortise run --scope processes --kill-every 50ms        as 110 processes, and one after the other is killed\n"
    "  mortise run --scope cluster                            as 3 processes that share the map in etcd\n"
    "  mortise bench                                          locks and runtime beside their peers\n"
    "  mortise lock backup -- rsync -a data/ host:data/       a command under a lock that processes share\n"
    "  mortise lock --cluster backup -- rsync -a data/ host:data/   the same among machines\n"
    "  mortise shm ls                                         what processes share in memory, and who holds it\n\n"
    "mortise bench|lock|run|shm --help tell all flags, mortise --version the version.\n";

std::string version() {
#if defined(__clang__)
  const std::string compiler = "clang " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  return fmt::format("mortise {} ({}, {}{}{})\n", MORTISE_VERSION, compiler, MORTISE_BUILD_MODE,
                     MORTISE_IS_CHECKED ? ", checked" : "", mortise::sanitized ? ", sanitized" : "");
}

// In this program, or in the one that can.
int run_command(const std::vector<std::string>& arguments) {
  return app::run_command(arguments, [&](const app::run_options& options) {
    if (options.scope != app::scope_kind::cluster) return app::run(options);
    std::vector<std::string> words = arguments;
    words.insert(words.begin(), "run");
    app::cluster::hand_over(words);
  });
}

int command(const std::vector<std::string>& words) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    return app::printed(0, examples);
  }
  if (words[0] == "lock") return app::lock::command({words.begin() + 1, words.end()});
  if (words[0] == "run") return run_command({words.begin() + 1, words.end()});
  if (words[0] == "bench") return app::bench::command({words.begin() + 1, words.end()});
  if (words[0] == "shm") return app::shm::command({words.begin() + 1, words.end()});
  if (words[0] == "--version" || words[0] == "-V") return app::printed(0, version());
  const std::string near = app::nearest(words[0], {"bench", "lock", "run", "shm", "--version", "--help"});
  throw app::usage_error(near.empty()
                             ? fmt::format("{}: no such command; there are: bench, lock, run, shm", words[0])
                             : fmt::format("{}: no such command; did you mean {}?", words[0], near));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  return app::told([&] { return command(words); });
}
