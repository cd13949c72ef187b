#include <app/shm/command.hpp>
#include <app/shm/options.hpp>
#include <app/shm/show.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>

#include <mortise/shm/directory.hpp>
#include <mortise/shm/listing.hpp>

namespace app::shm {
namespace {

using mortise::shm::region_info;

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw std::runtime_error("cannot write to standard output");
}

std::string dump(const nlohmann::ordered_json& j) {
  return j.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

[[noreturn]] void absent(const std::string& name) {
  throw std::runtime_error(
      fmt::format("there is no shared memory '{}' in {}", name, mortise::shm::runtime_directory()));
}

void list(bool json) {
  const std::vector<region_info> all = mortise::shm::list_regions();
  const std::uint64_t now = mortise::shm::realtime_ns();
  if (!json)
    return print(all.empty() ? "nothing in " + mortise::shm::runtime_directory() + "\n" : table(all, now));
  nlohmann::ordered_json j{{"directory", mortise::shm::runtime_directory()},
                           {"regions", nlohmann::ordered_json::array()}};
  for (const region_info& r : all) j["regions"].push_back(as_json(r, now));
  print(dump(j));
}

void inspect(const std::string& name, bool json) {
  const auto r = mortise::shm::inspect_region(name);
  if (!r) absent(name);
  const std::uint64_t now = mortise::shm::realtime_ns();
  print(json ? dump(as_json(*r, now)) : details(*r, now));
}

// Who has it, in a few words.
std::string users(const std::string& name) {
  const auto r = mortise::shm::inspect_region(name);
  std::string text;
  for (const auto& p : r ? r->participants : std::vector<mortise::shm::participant_info>{}) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", p.pid, p.command);
  }
  return text.empty() ? "a process that has not used it yet" : text;
}

void remove(const std::string& name) {
  switch (mortise::shm::remove_region(name)) {
    case mortise::shm::removal::removed: return;
    case mortise::shm::removal::absent: absent(name);
    case mortise::shm::removal::in_use:
      throw std::runtime_error(
          fmt::format("shared memory '{}' is in use by {}, and stays", name, users(name)));
  }
}

}  // namespace

int command(const std::vector<std::string>& arguments) {
  const options o = parse(arguments);
  switch (o.what) {
    case action::list: list(o.json); break;
    case action::inspect: inspect(o.name, o.json); break;
    case action::remove: remove(o.name); break;
  }
  return 0;
}

}  // namespace app::shm
