#include <app/bench/command.hpp>
#include <app/bench/lines.hpp>
#include <app/bench/machine.hpp>
#include <app/bench/options.hpp>
#include <app/bench/plan.hpp>
#include <app/bench/progress.hpp>
#include <app/bench/report.hpp>
#include <app/bench/table.hpp>
#include <app/page/page.hpp>
#include <app/run/interrupt.hpp>
#include <app/run/options.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

namespace app::bench {
namespace {

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw std::runtime_error("cannot write to standard output");
}

bool coloured() {
  const char* none = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (none == nullptr || *none == '\0') &&
         (term == nullptr || std::string_view{term} != "dumb");
}

// Throws usage_error if it cannot be had: the flag's value is what is wrong.
result read_file(const std::string& name) {
  std::ifstream file(name);
  if (!file) throw usage_error(fmt::format("--from: {} cannot be read", name));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  try {
    return read_lines(text);
  } catch (const std::runtime_error& e) {
    throw usage_error(fmt::format("--from: {}: {}", name, e.what()));
  }
}

// Of lines that were measured earlier, those that were asked for.
void choose(std::vector<judged>& lines, const std::vector<std::string>& words) {
  std::vector<group> all;
  for (const judged& line : lines) all.push_back({line.what.id, line.what.of.workload, {line.what.of}});
  std::set<std::string> chosen;
  for (const group& g : choose(std::move(all), words)) chosen.insert(g.cells.front().name());
  std::erase_if(lines, [&](const judged& line) { return !chosen.contains(line.what.of.name()); });
}

void show(const result& r, const options& o) {
  if (!o.json) return print(table(r, {o.markdown, coloured()}));
  print(header_line(r) + "\n");
  for (const judged& line : r.lines) print(json_line(line) + "\n");
}

int list(const std::vector<group>& plan, unsigned repetitions) {
  std::string text;
  double seconds = 0;
  for (const group& g : plan) {
    for (const cell& c : g.cells) {
      text += fmt::format("{:<4} {}\n", g.id.empty() ? "-" : g.id, c.name());
      seconds += seconds_of(c) * repetitions;
    }
  }
  print(text +
        fmt::format("about {:.0f} s at {} a cell, if every contender is there\n", seconds, repetitions));
  return 0;
}

std::string command_line(const std::vector<std::string>& arguments) {
  std::string text = "mortise bench";
  for (const std::string& a : arguments) text += " " + a;
  return text;
}

int measure_all(const std::vector<group>& plan, const options& o, const std::vector<std::string>& arguments) {
  const page report{o.report};
  contenders who{o.programs};
  interrupt caught;
  who.ask(plan);
  result r{describe_machine(who.folder(), who.versions()), to_string(o.how), command_line(arguments), {}};
  if (o.json) print(header_line(r) + "\n");
  bool failed = false;
  {
    progress shown{plan, o.repetitions};
    for (const group& g : plan) {
      for (judged& line :
           judge_all(measure(g, who, o.repetitions, [&](const cell& c) { shown.running(c); }))) {
        failed = failed || !line.what.failed.empty();
        if (interrupt::signal() != 0 && line.what.repetitions == 0) continue;
        if (o.json) {
          shown.clear();
          print(json_line(line) + "\n");
        }
        r.lines.push_back(std::move(line));
      }
      if (interrupt::signal() != 0) break;
    }
  }
  if (!o.json) print(table(r, {o.markdown, coloured()}));
  if (report.wanted() && !report.write(report_data(r))) failed = true;
  if (interrupt::signal() != 0) return 128 + interrupt::signal();
  return failed ? 1 : 0;
}

}  // namespace

int command(const std::vector<std::string>& arguments) {
  const options o = parse(arguments);
  if (!o.from.empty()) {
    result r = read_file(o.from);
    choose(r.lines, o.words);
    const page report{o.report};
    show(r, o);
    return report.wanted() && !report.write(report_data(r)) ? 1 : 0;
  }
  const std::vector<group> chosen = choose(plan(o.how, usable_cores()), o.words);
  return o.list ? list(chosen, o.repetitions) : measure_all(chosen, o, arguments);
}

}  // namespace app::bench
