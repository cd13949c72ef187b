#pragma once

// What the commands' flags have in common: whole numbers in a range, and errors of one line that start with the flag.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <string>
#include <vector>

namespace app {

// Checks a whole number; the error names what is allowed. The flag's name is put before it by CLI11. The
// number is written anew, since CLI11 would read 010 as eight.
template <class T>
CLI::Validator whole_number(T least, T most) {
  return CLI::Validator(
      [least, most](std::string& text) -> std::string {
        T n{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
        if (error == std::errc{} && end == text.data() + text.size() && n >= least && n <= most) {
          text = std::to_string(n);
          return {};
        }
        return fmt::format("{} is not in {}..{}", text, least, most);
      },
      fmt::format("{}..{}", least, most));
}

// The message of CLI11 in our form. `app` is named as the user calls it: mortise run.
std::string one_line(const CLI::App& app, const CLI::ParseError& e,
                     const std::vector<std::string>& arguments);

}  // namespace app
