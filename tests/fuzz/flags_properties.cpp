#include <app/run/duration.hpp>
#include <app/run/options.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

#include "properties.hpp"

namespace fuzz {
namespace {

struct flag {
  std::string_view name;
  std::uint64_t least, most;
  std::string_view allowed;  // how an error names the range
  bool is_duration = false;
  bool of_processes = false;  // works with --scope processes only
};
constexpr std::array<flag, 10> flags{{
    {"--readers", 0, 100'000'000, "in 0..100000000"},
    {"--writers", 0, 100'000'000, "in 0..100000000"},
    {"--keys", 1, 1'000'000, "in 1..1000000"},
    {"--values", 1, 1'000'000'000, "in 1..1000000000"},
    {"--workers", 0, 1024, "in 0..1024"},
    {"--seed", 0, INT64_MAX, "in 0..9223372036854775807"},
    {"--sleep", 0, 86'400'000'000'000, "duration in 0..24h", true},
    {"--for", 0, 86'400'000'000'000, "duration in 0..24h", true},
    {"--processes", 1, 1000, "in 1..1000", false, true},
    {"--kill-every", 1'000'000, 86'400'000'000'000, "duration in 1ms..24h", true, true},
}};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> arguments;
  while (!text.empty() && arguments.size() < 40) {
    const std::size_t end = std::min(text.find('\0'), text.size());
    arguments.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return arguments;
}

std::string shown(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& a : arguments) text += " [" + a + "]";
  return text;
}

// The value is one that the flag allows.
bool allowed(const flag& f, std::string_view value) {
  if (f.is_duration) {
    const auto ns = app::parse_duration(value);
    return ns && static_cast<std::uint64_t>(*ns) >= f.least && static_cast<std::uint64_t>(*ns) <= f.most;
  }
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), n);
  return error == std::errc{} && end == value.data() + value.size() && n >= f.least && n <= f.most;
}

std::vector<std::string> as_arguments(const app::run_options& o) {
  std::vector<std::string> a{
      "--readers", std::to_string(o.readers),        "--writers", std::to_string(o.writers),
      "--keys",    std::to_string(o.keys),           "--values",  std::to_string(o.values),
      "--sleep",   app::format_duration(o.sleep_ns), "--for",     app::format_duration(o.for_ns),
      "--tasks",   app::to_string(o.tasks),          "--lock",    app::to_string(o.lock),
      "--workers", std::to_string(o.workers),        "--seed",    std::to_string(o.seed)};
  if (o.json) a.emplace_back("--json");
  a.insert(a.end(), {"--scope", app::to_string(o.scope)});
  if (o.kill_every_ns != 0) a.insert(a.end(), {"--kill-every", app::format_duration(o.kill_every_ns)});
  if (o.scope == app::scope_kind::processes && o.tasks != app::task_kind::process) {
    a.insert(a.end(), {"--processes", std::to_string(o.processes)});
  }
  return a;
}

bool same(const app::run_options& a, const app::run_options& b) {
  // Everything that is written, and the durations in full.
  return as_arguments(a) == as_arguments(b) && a.sleep_ns == b.sleep_ns && a.for_ns == b.for_ns &&
         a.processes == b.processes && a.kill_every_ns == b.kill_every_ns;
}

bool in_range(const app::run_options& o) {
  const std::array<std::uint64_t, 8> values{o.readers,
                                            o.writers,
                                            o.keys,
                                            o.values,
                                            o.workers,
                                            o.seed,
                                            static_cast<std::uint64_t>(o.sleep_ns),
                                            static_cast<std::uint64_t>(o.for_ns)};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] < flags[i].least || values[i] > flags[i].most) return false;
  }
  const bool processes = o.scope == app::scope_kind::processes;
  if (processes ? o.processes > 1000 || o.keys > 16 : o.processes != 0 || o.kill_every_ns != 0) return false;
  if (processes && o.lock != app::lock_kind::mortise && o.lock != app::lock_kind::none) return false;
  if (o.tasks == app::task_kind::process && (!processes || o.processes != o.parties())) return false;
  return (o.lock != app::lock_kind::std || o.tasks == app::task_kind::thread) &&
         (o.tasks != app::task_kind::thread || o.parties() <= 32'000);
}

void accepted(const app::run_options& o, const std::vector<std::string>& arguments) {
  if (!in_range(o)) throw broken("what is accepted is in range:" + shown(arguments));
  for (const flag& f : flags) {
    for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
      // A flag's name is nobody's value, since no value begins with a dash.
      if (arguments[i] == f.name && !allowed(f, arguments[i + 1])) {
        throw broken("a value that the flag does not allow is refused:" + shown(arguments));
      }
    }
  }
  try {
    if (!same(app::parse_run(as_arguments(o)), o)) {
      throw broken("what is accepted, written anew, is read the same:" + shown(arguments));
    }
  } catch (const app::usage_error& e) {
    throw broken("what is accepted, written anew, is accepted: " + std::string(e.what()) + shown(arguments));
  }
}

void refused(const std::string& error, const std::vector<std::string>& arguments) {
  const auto wrong = [&](const char* property) {
    return broken(std::string(property) + ": \"" + error + "\" for" + shown(arguments));
  };
  if (error.empty()) throw wrong("an error says something");
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(error.begin(), error.end(), control)) throw wrong("an error is one line");
  // Short flags run together: -h-lock is -h and --lock.
  const auto about = [&](const std::string& argument) {
    const std::string name = argument.starts_with("-") ? argument.substr(0, argument.find('=')) : argument;
    const std::string flag = error.substr(0, error.find(": "));
    return std::any_of(name.begin(), name.end(), control) || error.starts_with(name + ": ") ||
           (flag.starts_with("--") && name.starts_with("-") && name.ends_with(flag.substr(1)));
  };
  if (std::none_of(arguments.begin(), arguments.end(), about)) throw wrong("an error names what it is about");
  // One flag with one value: known in every letter.
  for (const flag& f : flags) {
    std::string value;
    if (arguments.size() == 2 && arguments[0] == f.name) {
      value = arguments[1];
    } else if (arguments.size() == 1 && arguments[0].starts_with(std::string(f.name) + "=")) {
      value = arguments[0].substr(f.name.size() + 1);
    } else {
      continue;
    }
    const bool plain =
        !value.empty() && !value.starts_with("--") && std::none_of(value.begin(), value.end(), control);
    if (!plain) continue;
    if (allowed(f, value)) {
      if (f.of_processes) continue;
      throw wrong("a value that the flag allows is accepted");
    }
    const std::string expected = std::string(f.name) + ": " + value +
                                 (f.is_duration ? " is no " : " is not ") + std::string(f.allowed);
    if (error != expected) throw wrong(("an error names flag, value and range, here: " + expected).c_str());
  }
}

}  // namespace

void flags_properties(std::string_view text) {
  const std::vector<std::string> arguments = split(text);
  std::optional<app::run_options> options;
  try {
    options = app::parse_run(arguments);
  } catch (const app::usage_error& e) {
    return refused(e.what(), arguments);
  } catch (const app::answer& a) {
    if (std::string_view(a.what()).find("--readers") == std::string_view::npos) {
      throw broken("help names the flags:" + shown(arguments));
    }
    return;
  }
  accepted(*options, arguments);
}

}  // namespace fuzz
