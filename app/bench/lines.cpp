#include <app/bench/lines.hpp>

#include <fmt/format.h>

#include <cmath>
#include <sstream>
#include <stdexcept>

namespace app::bench {
namespace {

using json = nlohmann::ordered_json;

// Whole numbers stay whole: no 5e8 for a counter.
json number(double value) {
  if (value == std::floor(value) && std::abs(value) < 9e15) return static_cast<std::int64_t>(value);
  return value;
}

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json optional_text(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

json of_verdict(const verdict& v) {
  json j{{"id", v.of.id},
         {"figure", v.of.figure},
         {"against", optional_text(v.of.against)},
         {"against_bench", optional_text(v.against_bench)},
         {"sense", v.of.compare == sense::at_least ? ">=" : "<="},
         {"value", number(v.of.must)},
         {"moonshot", or_null(v.of.moonshot)},
         {"measured", or_null(v.measured)},
         {"met", or_null(v.met)}};
  if (!v.note.empty()) j["note"] = v.note;
  return j;
}

verdict verdict_of(const json& j) {
  verdict v;
  v.of.id = j.at("id");
  v.of.figure = j.at("figure");
  v.of.compare = j.at("sense") == ">=" ? sense::at_least : sense::at_most;
  v.of.must = j.at("value");
  if (!j.at("moonshot").is_null()) v.of.moonshot = j.at("moonshot").get<double>();
  if (!j.at("against").is_null()) v.of.against = j.at("against");
  if (!j.at("against_bench").is_null()) v.against_bench = j.at("against_bench");
  if (!j.at("measured").is_null()) v.measured = j.at("measured").get<double>();
  if (!j.at("met").is_null()) v.met = j.at("met").get<bool>();
  v.note = j.value("note", "");
  return v;
}

judged judged_of(const json& j) {
  judged line;
  outcome& o = line.what;
  o.of.workload = j.at("workload");
  o.of.contender = j.at("contender");
  o.of.kind = j.at("kind");
  for (const auto& [key, value] : j.at("params").items())
    o.of.given.emplace_back(key, value.get<std::int64_t>());
  if (!j.at("id").is_null()) o.id = j.at("id");
  o.repetitions = j.value("repetitions", 0U);
  if (j.contains("figures")) {
    for (const auto& [name, f] : j.at("figures").items()) {
      o.figures.push_back({name, f.at("samples").get<std::vector<double>>()});
      if (o.figures.back().samples.empty()) throw std::runtime_error(name + " has no samples");
    }
  }
  o.skipped = j.value("skipped", "");
  o.failed = j.value("failed", "");
  for (const json& b : j.at("bars")) line.verdicts.push_back(verdict_of(b));
  return line;
}

}  // namespace

std::vector<judged> judge_all(std::vector<outcome> group) {
  std::vector<judged> all;
  for (const outcome& o : group) {
    judged& line = all.emplace_back(judged{o, {}});
    for (const bar& b : o.of.bars) line.verdicts.push_back(judge(b, o, group));
  }
  return all;
}

std::string header_line(const result& r) {
  return json{{"schema", schema}, {"machine", r.machine}, {"mode", r.mode}, {"command", r.command}}.dump();
}

std::string json_line(const judged& line) {
  const outcome& o = line.what;
  json given = json::object();
  for (const auto& [key, value] : o.of.given) given[key] = value;
  json j{{"bench", o.of.name()},        {"workload", o.of.workload}, {"contender", o.of.contender},
         {"kind", o.of.kind},           {"params", given},           {"id", optional_text(o.id)},
         {"repetitions", o.repetitions}};
  json measured = json::object();
  for (const figure& f : o.figures) {
    json samples = json::array();
    for (const double s : f.samples) samples.push_back(number(s));
    measured[f.name] = {{"median", number(f.median())},
                        {"min", number(f.least())},
                        {"max", number(f.most())},
                        {"samples", samples}};
  }
  if (!o.figures.empty()) j["figures"] = measured;
  if (!o.skipped.empty()) j["skipped"] = o.skipped;
  if (!o.failed.empty()) j["failed"] = o.failed;
  j["bars"] = json::array();
  for (const verdict& v : line.verdicts) j["bars"].push_back(of_verdict(v));
  // A contender in another language may say anything on stderr.
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

result read_lines(const std::string& text) {
  result r;
  std::istringstream in(text);
  std::string line;
  for (unsigned number = 1; std::getline(in, line); ++number) {
    if (line.empty()) continue;
    try {
      const json j = json::parse(line);
      if (number == 1) {
        if (j.value("schema", "") != schema)
          throw std::runtime_error(fmt::format("its schema is not {}", schema));
        r.machine = j.at("machine");
        r.mode = j.value("mode", "");
        r.command = j.value("command", "");
      } else {
        r.lines.push_back(judged_of(j));
      }
    } catch (const std::exception& e) {
      std::string why = e.what();
      if (const std::size_t at = why.find("] "); why.starts_with("[json.") && at != std::string::npos)
        why.erase(0, at + 2);
      throw std::runtime_error(fmt::format("line {}: {}", number, why));
    }
  }
  if (r.machine.is_null()) throw std::runtime_error("line 1: there is none");
  return r;
}

}  // namespace app::bench
