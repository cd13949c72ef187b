// The `mortise` command.
#include <fmt/format.h>
#include <app/bench/command.hpp>
#include <app/lock/command.hpp>
#include <app/page/page.hpp>
#include <app/run/options.hpp>
#include <app/run/report.hpp>
#include <app/run/workload.hpp>
#include <app/shm/command.hpp>

#include <cstdio>
#include <new>
#include <string>
#include <vector>

#include <mortise/base/sanitizers.hpp>
#include <mortise/base/version.hpp>
#include <mortise/task/overflow.hpp>

namespace {

constexpr const char* examples =
    "mortise: one mutex for coroutines, fibers, threads and processes\n\n"
    "  mortise run                                            the seed's program: 100 readers, 10 writers\n"
    "  mortise run --tasks thread --lock std                  the same on threads and std::mutex\n"
    "  mortise run --tasks coroutine --readers 1000000 --json a million of them, as JSON\n"
    "  mortise run --scope processes --kill-every 50ms        as 110 processes, and one after the other is killed\n"
    "  mortise bench                                          locks and runtime beside their peers\n"
    "  mortise lock backup -- rsync -a data/ host:data/       a command under a lock that processes share\n"
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

int fail(int code, const std::string& line) {
  fmt::print(stderr, "mortise: {}\n", line);
  return code;
}

// The end of all that prints: an answer that nobody can read is a failure.
int printed(int code, const std::string& text) {
  const bool all =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return all ? code : fail(1, "cannot write to standard output");
}

int run_command(const std::vector<std::string>& arguments) {
  const app::run_options options = app::parse_run(arguments);
  const app::page report{options.report};
  mortise::install_overflow_handler();
  const app::run_result result = app::run(options);
  if (result.torn != 0) {
    fail(1, fmt::format("torn: {} times the map was not as anybody had written it", result.torn));
  }
  int code = !result.sound() ? 1 : result.interrupted_by != 0 ? 128 + result.interrupted_by : 0;
  if (report.wanted() && !report.write(app::page_data(options, result)) && code == 0) code = 1;
  return printed(code, options.json ? app::as_json(options, result) : app::three_lines(result));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
      return printed(0, examples);
    }
    if (words[0] == "lock") return app::lock::command({words.begin() + 1, words.end()});
    if (words[0] == "run") return run_command({words.begin() + 1, words.end()});
    if (words[0] == "bench") return app::bench::command({words.begin() + 1, words.end()});
    if (words[0] == "shm") return app::shm::command({words.begin() + 1, words.end()});
    if (words[0] == "--version" || words[0] == "-V") return printed(0, version());
    const std::string near = app::nearest(words[0], {"bench", "lock", "run", "shm", "--version", "--help"});
    throw app::usage_error(
        near.empty() ? fmt::format("{}: no such command; there are: bench, lock, run, shm", words[0])
                     : fmt::format("{}: no such command; did you mean {}?", words[0], near));
  } catch (const app::answer& a) {
    return printed(0, a.what());
  } catch (const app::usage_error& e) {
    return fail(2, e.what());
  } catch (const std::bad_alloc&) {
    return fail(1, "no memory");
  } catch (const std::exception& e) {
    return fail(1, e.what());
  }
}
