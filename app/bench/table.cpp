#include <app/bench/grid.hpp>
#include <app/bench/losses.hpp>
#include <app/bench/table.hpp>
#include <app/run/report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string_view>
#include <tuple>

namespace app::bench {
namespace {

// The unit is in every cell.
std::string header_of(std::string_view figure) {
  std::string text;
  for (const char c : figure) text += c == '_' ? ' ' : c;
  for (const std::string_view unit : {" ns", " bytes", " percent"}) {
    if (text.size() > unit.size() && text.ends_with(unit)) text.erase(text.size() - unit.size());
  }
  if (text == "ops per s") return "ops";
  const std::size_t p999 = text.find("p999");
  return p999 == std::string::npos ? text : text.substr(0, p999) + "p99.9" + text.substr(p999 + 4);
}

std::string params_of(const cell& c) {
  std::string text = c.kind;
  for (const auto& [key, value] : c.given) text += fmt::format(" {}:{}", key, value);
  return text;
}

struct colours {
  explicit colours(bool on)
      : good{on ? "\033[32m" : ""}, bad{on ? "\033[31m" : ""}, plain{on ? "\033[0m" : ""} {}
  std::string_view good, bad, plain;
};

std::string said(const verdict& v, const style& s) {
  const colours c{s.colour};
  if (!v.met) return "unknown: " + v.note;
  if (*v.met) {
    const bool moonshot = v.measured && is_moonshot(v.of, *v.measured);
    return fmt::format("{}met{}{}", c.good, moonshot ? ", moonshot" : "", c.plain);
  }
  const std::string loss = s.markdown ? "**NOT MET**" : fmt::format("{}NOT MET{}", c.bad, c.plain);
  return v.note.empty() ? loss : loss + ": " + v.note;
}

std::string in_unit(const verdict& v, double value) {
  return v.of.against.empty() ? readable(v.of.figure, value) : fmt::format("{:g}x {}", value, v.of.against);
}

// A ratio to three places: 0.996 is below 1.
std::string measured_in_unit(const verdict& v) {
  if (!v.measured) return "-";
  if (v.of.against.empty()) return readable(v.of.figure, *v.measured);
  return fmt::format("{:.{}f}x {}", *v.measured, *v.measured < 10 ? 3 : 1, v.of.against);
}

// P2 before P11, P6a before P6b, F1 behind all of P, and S1 behind all of F.
using place = std::tuple<bool, char, int, std::string>;
place place_of(const std::string& id) {
  return {!id.starts_with('P'), id.empty() ? 0 : id.front(), id.size() < 2 ? 0 : std::atoi(id.c_str() + 1),
          id};
}

std::string bars_table(const result& r, const style& s) {
  grid g{{"id", "bench", "figure", "must", "moonshot", "measured", "verdict"}, {}, 3};
  std::multimap<place, std::vector<std::string>> rows;  // of one id as they were measured
  for (const judged& line : r.lines) {
    for (const verdict& v : line.verdicts) {
      const char* sense = v.of.compare == sense::at_least ? ">=" : "<=";
      rows.emplace(place_of(v.of.id),
                   std::vector<std::string>{v.of.id, line.what.of.name(), header_of(v.of.figure),
                                            fmt::format("{} {}", sense, in_unit(v, v.of.must)),
                                            v.of.moonshot ? in_unit(v, *v.of.moonshot) : "",
                                            measured_in_unit(v), said(v, s)});
    }
  }
  for (auto& [at, row] : rows) g.rows.push_back(std::move(row));
  return g.rows.empty() ? "" : write(g, s);
}

// Who took no part, and why: one line for all cells of a contender with the same reason.
std::string absent_of(const result& r, const std::string& workload, const style& s) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> names;  // by contender and reason
  for (const judged& line : r.lines) {
    const outcome& o = line.what;
    if (o.of.workload != workload || (o.failed.empty() && o.skipped.empty())) continue;
    const std::string why = o.failed.empty() ? "skipped: " + o.skipped : "FAILED: " + o.failed;
    names[{o.of.contender, why}].push_back(o.of.name());
  }
  std::string text;
  for (const auto& [who, cells] : names) {
    const bool one_failed = cells.size() == 1 && who.second.starts_with("FAILED");
    text += fmt::format("{}{}{}: {}\n", s.markdown ? "- " : "  ", one_failed ? cells.front() : who.first,
                        one_failed || cells.size() == 1 ? "" : fmt::format(" ({} cells)", cells.size()),
                        who.second);
  }
  return text.empty() ? "" : "\n" + text;
}

// A row for everybody who took part.
std::string workload_table(const result& r, const std::string& workload, const style& s) {
  const std::vector<std::string> columns = columns_of(workload);
  grid g{{"contender", "on"}, {}, 2};
  for (const std::string& c : columns) g.headers.push_back(header_of(c));
  g.headers.insert(g.headers.begin() + 3, "min .. max");
  for (const judged& line : r.lines) {
    const outcome& o = line.what;
    if (o.of.workload != workload || o.figures.empty()) continue;
    std::vector<std::string> row{o.of.contender, params_of(o.of)};
    for (const std::string& c : columns) {
      const figure* f = find(o.figures, c);
      row.push_back(f == nullptr ? "" : readable(c, f->median()));
      if (row.size() != 3) continue;
      row.push_back(f == nullptr ? ""
                                 : fmt::format("{} .. {}", readable(c, f->least()), readable(c, f->most())));
    }
    g.rows.push_back(std::move(row));
  }
  return (g.rows.empty() ? "" : write(g, s)) + absent_of(r, workload, s);
}

std::string machine_facts(const result& r, const style& s) {
  std::string text;
  const auto add = [&](const std::string& key, const std::string& value) {
    text += s.markdown ? fmt::format("- {}: {}\n", key, value) : fmt::format("{:<10}  {}\n", key, value);
  };
  for (const auto& [key, value] : r.machine.items()) {
    if (value.is_object()) {
      std::string all;
      for (const auto& [name, version] : value.items())
        all += fmt::format("{}{} {}", all.empty() ? "" : ", ", name,
                           version.is_string() ? version.get<std::string>() : version.dump());
      add(key, all);
    } else {
      add(key, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  add("command", s.markdown ? "`" + r.command + "`" : r.command);
  return text;
}

}  // namespace

std::string readable(const std::string& figure, double value) {
  const auto scaled = [value](double thousand, std::initializer_list<const char*> units) {
    double v = value;
    auto unit = units.begin();
    while (std::abs(v) >= thousand * 0.9995 && unit + 1 != units.end()) {
      v /= thousand;
      ++unit;
    }
    const int digits = std::abs(v) < 10 ? 2 : std::abs(v) < 100 ? 1 : 0;
    return fmt::format("{:.{}f} {}", v, digits, *unit);
  };
  if (figure.ends_with("_per_s") && value < 1e6)  // the seed's program: 109,300 of 110,000
    return with_thousands(static_cast<std::uint64_t>(value + 0.5)) + " /s";
  if (figure.ends_with("_per_s")) return scaled(1000, {"/s", "k/s", "M/s", "G/s"});
  if (figure == "ns" || figure.ends_with("_ns")) return scaled(1000, {"ns", "us", "ms", "s"});
  if (figure.ends_with("bytes_per_task")) return fmt::format("{:.{}f} B", value, value < 10 ? 2 : 0);
  if (figure.ends_with("_bytes")) return scaled(1000, {"B", "kB", "MB", "GB"});
  if (figure.ends_with("_percent")) return fmt::format("{:.{}f} %", value, value < 10 ? 2 : 0);
  if (figure.ends_with("share")) return fmt::format("{:.2f}", value);
  if (figure.ends_with("_ratio")) return fmt::format("{:.3g}x", value);
  if (figure == "round_trips") return fmt::format("{:.2f}", value);
  return fmt::format("{:.0f}", value);
}

std::string table(const result& r, const style& s) {
  std::string text = machine_facts(r, s);
  const auto section = [&](const std::string& title, const std::string& body) {
    if (!body.empty()) text += fmt::format("\n{}{}\n\n{}", s.markdown ? "## " : "", title, body);
  };
  std::vector<std::string> workloads;
  for (const judged& line : r.lines) {
    const std::string& w = line.what.of.workload;
    if (std::find(workloads.begin(), workloads.end(), w) == workloads.end()) workloads.push_back(w);
  }
  section(s.markdown ? "What must be reached" : "what must be reached", bars_table(r, s));
  const grid lost = losses(r);
  section(s.markdown ? "Where a peer is faster" : "where a peer is faster",
          lost.rows.empty() ? "" : write(lost, s));
  for (const std::string& w : workloads) section(w, workload_table(r, w, s));
  return text;
}

}  // namespace app::bench
