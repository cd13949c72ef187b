#include <app/page/page.hpp>
#include <app/run/command.hpp>
#include <app/run/options.hpp>
#include <app/run/profile_file.hpp>
#include <app/run/report.hpp>
#include <app/run/trace_file.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>

#include <mortise/insight/deadlock.hpp>
#include <mortise/insight/dump.hpp>
#include <mortise/task/overflow.hpp>

namespace app {

int fail(int code, const std::string& line) {
  fmt::print(stderr, "mortise: {}\n", line);
  return code;
}

int printed(int code, const std::string& text) {
  const bool all =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return all ? code : fail(1, "cannot write to standard output");
}

int told(const std::function<int()>& command) {
  try {
    return command();
  } catch (const answer& a) {
    return printed(0, a.what());
  } catch (const usage_error& e) {
    return fail(2, e.what());
  } catch (const std::bad_alloc&) {
    return fail(1, "no memory");
  } catch (const std::exception& e) {
    return fail(1, e.what());
  }
}

namespace {

// A run that is slow or stuck tells why when asked (Ctrl-\). It is watched from then on, or else it would be slower by a tenth to a third where all
// wait all the time (docs/decisions/insight.md); checked builds, which know who holds what, report a deadlock by themselves.
void look_on() {
  using namespace mortise::insight;
  dump_on_sigquit(stacks::kept, watching::when_asked);
  if (MORTISE_IS_CHECKED) watch_for_deadlocks({.shown = stacks::left_out});
}

}  // namespace

int run_command(const std::vector<std::string>& arguments,
                const std::function<run_result(const run_options&)>& runs) {
  const run_options options = parse_run(arguments);
  const page report{options.report};
  const profile_file profile{options};
  mortise::install_overflow_handler();
  if (options.scope == scope_kind::process) look_on();
  trace_file trace{options.trace};
  run_result result = runs(options);
  profile.write();
  const bool traced = trace.write();
  if (profile.is_shown() && result.detail) result.detail->profile = mortise::insight::profile::places();
  if (result.torn != 0) {
    fail(1, fmt::format("torn: {} times the map was not as anybody had written it", result.torn));
  }
  if (options.scope == scope_kind::cluster && result.map_mismatches != 0) {
    fail(1, fmt::format(
                "lost updates: {} writes that were acknowledged are not in the map, or one that was not is",
                result.map_mismatches));
  }
  int code = !result.sound() ? 1 : result.interrupted_by != 0 ? 128 + result.interrupted_by : 0;
  if (!traced && code == 0) code = 1;
  if (report.wanted() && !report.write(page_data(options, result)) && code == 0) code = 1;
  return printed(code, options.json ? as_json(options, result) : three_lines(result));
}

}  // namespace app
