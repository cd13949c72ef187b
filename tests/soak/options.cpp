#include "options.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

namespace soak {
namespace {

constexpr const char* usage =
    "usage: soak [--ops N] [--seed S] [--minutes M] [--brief] [--bound SECONDS] [--plant hang|lost|leak]\n\n"
    "Runs every kind of party on many mutexes until N acquisitions were made and M minutes have gone by; if none\n"
    "is given 1000000000 and 5. --brief: some seconds. --bound: who does nothing for so long hangs (30). --plant: a bug that must be found.\n"
    "Exit: 0 all was well, 1 something was lost or memory grew, 2 bad usage, SIGABRT something hung.\n";

[[noreturn]] void wrong(std::string_view flag, std::string_view value, const char* allowed) {
  std::fprintf(stderr, "soak: %.*s: %.*s is not in %s\n", static_cast<int>(flag.size()), flag.data(),
               static_cast<int>(value.size()), value.data(), allowed);
  std::exit(2);
}

std::uint64_t number(std::string_view flag, std::string_view text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n < least || n > most) {
    wrong(flag, text.empty() ? "nothing" : text,
          (std::to_string(least) + ".." + std::to_string(most)).c_str());
  }
  return n;
}

}  // namespace

options parse(int argc, char** argv) {
  options o;
  bool asked = false, seed_given = false;
  for (int i = 1; i < argc; ++i) {
    const char* const given = argv[i];
    std::string_view flag = given, value;
    if (flag == "--help" || flag == "-h") {
      std::fputs(usage, stdout);
      std::exit(0);
    }
    if (flag == "--brief") {
      o.brief = true;
      continue;
    }
    if (const auto equals = flag.find('='); equals != flag.npos) {
      value = flag.substr(equals + 1);
      flag = flag.substr(0, equals);
    } else if (i + 1 < argc) {
      value = argv[++i];
    }
    if (flag == "--ops") {
      o.ops = number(flag, value, 1, 1'000'000'000'000'000);
      asked = true;
    } else if (flag == "--minutes") {
      o.minutes = number(flag, value, 0, 100'000);
      asked = true;
    } else if (flag == "--seed") {
      o.seed = number(flag, value, 0, ~std::uint64_t{0});
      seed_given = true;
    } else if (flag == "--bound") {
      o.bound_s = number(flag, value, 1, 3600);
    } else if (flag == "--plant") {
      o.plant = value == "hang" ? plant::hang : value == "lost" ? plant::lost : plant::leak;
      if (o.plant == plant::leak && value != "leak") wrong(flag, value, "hang|lost|leak");
    } else {
      std::fprintf(stderr, "soak: %s: no such flag; see --help\n", given);
      std::exit(2);
    }
  }
  if (!asked && !o.brief) o.ops = 1'000'000'000, o.minutes = 5;
  if (!seed_given) o.seed = std::random_device{}() % 1'000'000'000;
  return o;
}

}  // namespace soak
