#include <app/bench/options.hpp>
#include <app/run/flags.hpp>
#include <app/run/options.hpp>

namespace app::bench {
namespace {

constexpr const char* description =
    R"(Measures mortise beside its peers and prints one table; what must be reached (P1 to P12, F1 to F6, S1 to S7, C1 to C5, I1) stands first.
Each contender is a program, one process a sample. Contenders take turns, and each repetition begins with the next one.
Results that do not add up are refused. Losses are printed like wins.

  mortise bench                      what ends within ten minutes
  mortise bench P6a sleep --json     some of it, as JSON lines
  mortise bench --full               every cell, within an hour)";

constexpr const char* footer =
    R"(Contenders are looked for in bench/ beside the command, then in libexec/mortise/bench of the installation.
Exit: 0 all was measured, bars met or not, 1 a contender failed, 2 bad usage, 130 interrupted (what there is is printed).)";

void require_sense(const options& o, bool quick, bool full, bool repetitions_given) {
  if (quick && full) throw usage_error("--quick: not together with --full");
  if (o.json && o.markdown) throw usage_error("--json: not together with --markdown");
  if (o.list && !o.report.empty())
    throw usage_error("--report: not together with --list, which measures nothing");
  if (o.from.empty()) return;
  const char* other = quick               ? "--quick"
                      : full              ? "--full"
                      : repetitions_given ? "--repetitions"
                      : o.list            ? "--list"
                                          : nullptr;
  if (other == nullptr && !o.programs.empty()) other = "--programs";
  if (other != nullptr)
    throw usage_error(fmt::format("{}: not together with --from, which measures nothing", other));
}

}  // namespace

options parse(const std::vector<std::string>& arguments) {
  options o;
  bool quick = false, full = false;
  CLI::App app{description, "mortise bench"};
  app.footer(footer);
  app.add_option("what", o.words,
                 "ids (P1 .. P12, F1 .. F6, S1 .. S7, C1 .. C5, I1 .. I4) and workloads (default: all)");
  app.add_flag("--quick", quick, "one short repetition of some of it: does it run at all?")
      ->disable_flag_override();
  app.add_flag("--full", full, "every cell")->disable_flag_override();
  const CLI::Option* repetitions =
      app.add_option("--repetitions", o.repetitions, "of each cell (5; with --quick 1)")
          ->transform(whole_number<unsigned>(1, 1'000));
  app.add_flag("--json", o.json, "print JSON lines instead, each when its group has been measured")
      ->disable_flag_override();
  app.add_flag("--markdown", o.markdown, "print the table as Markdown")->disable_flag_override();
  app.add_flag("--list", o.list, "print the names of what would be measured, and how long it takes")
      ->disable_flag_override();
  app.add_option("--programs", o.programs, "the folder of the contenders");
  app.add_option("--from", o.from, "show the JSON lines in this file, and measure nothing");
  app.add_option("--report", o.report, "write a page with charts to this file too");
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    throw answer(app.help());
  } catch (const CLI::ParseError& e) {
    throw usage_error(one_line(app, e, arguments));
  }
  require_sense(o, quick, full, repetitions->count() != 0);
  o.how = quick ? mode::quick : full ? mode::full : mode::normal;
  if (quick && repetitions->count() == 0) o.repetitions = 1;
  return o;
}

}  // namespace app::bench
