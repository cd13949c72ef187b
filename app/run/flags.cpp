#include <app/run/flags.hpp>
#include <app/run/options.hpp>

#include <algorithm>

namespace app {
namespace {

std::string unknown_flag(const CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<std::string> known;
  for (const CLI::Option* o : app.get_options()) known.push_back(o->get_name());
  for (const std::string& given : arguments) {
    const std::string flag = given.substr(0, given.find('='));
    if (std::find(known.begin(), known.end(), flag) != known.end() || !flag.starts_with("-")) continue;
    const std::string near = nearest(flag, known);
    return near.empty() ? fmt::format("{}: no such flag; see {} --help", flag, app.get_name())
                        : fmt::format("{}: no such flag; did you mean {}?", flag, near);
  }
  return {};
}

}  // namespace

std::string one_line(const CLI::App& app, const CLI::ParseError& e,
                     const std::vector<std::string>& arguments) {
  std::string text = e.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&e) != nullptr) {
    if (std::string unknown = unknown_flag(app, arguments); !unknown.empty()) return unknown;
    const auto extras = app.remaining();
    return fmt::format("{}: not expected; flags start with --, see {} --help",
                       extras.empty() ? text : extras.front(), app.get_name());
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&e) != nullptr) {
    std::string flag = text.substr(0, text.find_first_of(": "));
    if (!flag.starts_with("--")) flag.insert(0, "--");
    const CLI::Option* option = app.get_option_no_throw(flag);
    if (option == nullptr) return text;
    if (option->get_items_expected_max() == 0) return flag + ": takes no value";
    if (option->count() > 1) return fmt::format("{}: given {} times", flag, option->count());
    const std::string type = option->get_type_name();  // "UINT:0..1024"
    return fmt::format("{}: has no value; allowed: {}", flag, type.substr(type.find(':') + 1));
  }
  return text;
}

}  // namespace app
