#include <app/run/options.hpp>
#include <app/shm/options.hpp>

#include <fmt/format.h>

#include <optional>

#include <mortise/shm/place.hpp>

namespace app::shm {
namespace {

constexpr const char* help =
    R"(What this user's processes share in memory: mortise::shm::mutex, mortise::shm::guarded<T>.
Usage: mortise shm ls [--json]
       mortise shm inspect NAME [--json]
       mortise shm rm NAME

  ls                        all regions, and who holds each
  inspect NAME              one region, and all who take part in it
  rm NAME                   removes one that no process has open
  --json                    as JSON; tokens, which have 64 bits, are strings
  -h, --help                this text

Regions are files in this user's runtime directory: $MORTISE_RUNTIME_DIR, else $XDG_RUNTIME_DIR/mortise, else /tmp/mortise-UID.
Looking takes no lock and changes nothing: what it tells may be old when it is read.

Exit codes:
  0                         done
  1                         there is no such region, or it is in use, or no region of mortise; nothing was changed
  2                         bad usage
)";

action action_of(const std::string& word) {
  if (word == "ls") return action::list;
  if (word == "inspect") return action::inspect;
  if (word == "rm") return action::remove;
  const std::string near = nearest(word, {"ls", "inspect", "rm"});
  throw usage_error(near.empty() ? fmt::format("shm: {}: no such action; there are: ls, inspect, rm", word)
                                 : fmt::format("shm: {}: no such action; did you mean {}?", word, near));
}

void read_flag(const std::string& typed, options& o) {
  if (typed == "--json") {
    if (o.json) throw usage_error("--json: given 2 times");
    o.json = true;
    return;
  }
  const std::string flag = typed.substr(0, typed.find('='));
  if (flag == "--json" || flag == "--help") throw usage_error(flag + ": takes no value");
  const std::string near = nearest(flag, {"--json", "--help"});
  throw usage_error(near.empty() ? fmt::format("{}: no such flag; see mortise shm --help", flag)
                                 : fmt::format("{}: no such flag; did you mean {}?", flag, near));
}

}  // namespace

options parse(const std::vector<std::string>& arguments) {
  options o;
  std::optional<action> what;
  std::optional<std::string> name;
  for (const std::string& typed : arguments) {
    if (typed == "--help" || typed == "-h") throw answer(help);
    if (typed.starts_with("-")) {
      read_flag(typed, o);
    } else if (!what) {
      what = action_of(typed);
    } else if (!name && *what != action::list) {
      name = typed;
    } else {
      throw usage_error(fmt::format("{}: not expected; see mortise shm --help", typed));
    }
  }
  if (!what) throw usage_error("shm: says not what to do; there are: ls, inspect NAME, rm NAME");
  o.what = *what;
  if (o.what == action::list) return o;
  if (o.what == action::remove && o.json) throw usage_error("--json: not with rm, which prints nothing");
  if (!name) throw usage_error(fmt::format("shm {}: no NAME", o.what == action::remove ? "rm" : "inspect"));
  if (!mortise::shm::place::is_name(*name)) {
    throw usage_error(fmt::format(
        "NAME: {} is none: 1 to 64 letters, digits, '.', '-' and '_', and none of '.' and '-' first",
        name->empty() ? "''" : *name));
  }
  o.name = *name;
  return o;
}

}  // namespace app::shm
