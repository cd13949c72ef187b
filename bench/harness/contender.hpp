#pragma once

// What every contender program is: workloads by name and kind, each run once a process.
//
//     contender-X --list                    {"contender": ..., "workloads": {"contended": ["thread"]}}
//     contender-X WORKLOAD key:value ...    one JSON line, the result of one sample
//
// Exit: 0 measured, 1 what was measured does not add up or could not be had (one line on stderr), 2 bad usage.

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <bench/harness/json_line.hpp>
#include <bench/harness/keys.hpp>

namespace bench {

// One workload on one kind of party. `run` reads its keys, measures, and adds its figures; it throws when the result
// does not validate.
struct offer {
  std::string_view workload;
  std::string_view kind;
  void (*run)(keys&, json_line&);
};

class contender {
 public:
  contender(std::string name, std::string version, std::string language = "C++")
      : m_name{std::move(name)}, m_version{std::move(version)}, m_language{std::move(language)} {}

  contender& offers(const offer& o) {
    m_offers.push_back(o);
    return *this;
  }

  int main(int argc, char** argv) const try {
    if (argc < 2) throw usage_error("names no workload; see " + std::string{argv[0]} + " --list");
    if (argv[1] == std::string_view{"--list"}) return list();
    keys given{argc - 2, argv + 2};
    const offer& chosen = choose(argv[1], given);
    json_line line{name(chosen, argc, argv)};
    chosen.run(given, line);
    line.print();
    return 0;
  } catch (const usage_error& e) {
    std::fprintf(stderr, "contender-%s: %s\n", m_name.c_str(), e.what());
    return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "contender-%s: %s\n", m_name.c_str(), e.what());
    return 1;
  }

 private:
  const offer& choose(std::string_view workload, keys& given) const {
    const std::string kind = given.word("kind", "");
    std::string kinds;
    for (const offer& o : m_offers) {
      if (o.workload != workload) continue;
      if (o.kind == kind || kind.empty()) return o;
      kinds.append(kinds.empty() ? "" : "|").append(o.kind);
    }
    if (kinds.empty()) throw usage_error(std::string{workload} + ": no such workload here");
    throw usage_error("kind: " + kind + " is none of " + kinds);
  }

  // What says how long or how often it was measured is no part of what was.
  std::string name(const offer& chosen, int argc, char** argv) const {
    std::string text{chosen.workload};
    text.append("/").append(m_name).append("/kind:").append(chosen.kind);
    for (int i = 2; i < argc; ++i) {
      const std::string_view word = argv[i];
      bool counts = true;
      for (const std::string_view effort :
           {"kind:", "for_ms:", "seed:", "iterations:", "samples:", "command:"})
        counts = counts && !word.starts_with(effort);
      if (counts) text.append("/").append(word);
    }
    return text;
  }

  int list() const {
    std::string text = R"({"contender": ")" + m_name + R"(", "version": ")" + m_version +
                       R"(", "language": ")" + m_language + R"(", "workloads": {)";
    std::string_view workload;
    for (const offer& o : m_offers) {  // those of one workload stand together
      if (o.workload != workload) {
        if (!workload.empty()) text += "], ";
        text.append("\"").append(o.workload).append("\": [");
      } else {
        text += ", ";
      }
      text.append("\"").append(o.kind).append("\"");
      workload = o.workload;
    }
    std::puts((text + "]}}").c_str());
    return 0;
  }

  std::string m_name, m_version, m_language;
  std::vector<offer> m_offers;
};

}  // namespace bench
