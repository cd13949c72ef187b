#include <app/lock/options.hpp>
#include <app/run/duration.hpp>
#include <app/run/options.hpp>

#include <fmt/format.h>

#include <charconv>

namespace app::lock {
namespace {

constexpr const char* help =
    R"(Runs COMMAND while this user holds the lock NAME, on this machine.
Usage: mortise lock NAME [--timeout D | --no-wait] [-E N] [--] COMMAND [ARG...]

  --timeout D               wait for the lock for D at most, in 0..8760h; without it for as long as it takes
  --no-wait                 do not wait: the same as --timeout 0
  -E, --conflict-exit-code N
                            exit with N, in 0..255, if the lock was not acquired (124)
  -h, --help                this text

NAME has 1 to 64 letters, digits, '.', '-' and '_', and begins with none of '.' and '-'. The lock is the file NAME.lock in this
user's runtime directory: $MORTISE_RUNTIME_DIR, else $XDG_RUNTIME_DIR/mortise, else /tmp/mortise-UID.
Durations are a number and h, m, s, ms, us or ns (1m, 250ms, 1.5s), or 0.

COMMAND finds in its environment
  MORTISE_LOCK              NAME
  MORTISE_TOKEN             a number that is greater each time the lock is acquired: who keeps the greatest that it has seen
                            can refuse one who comes late

The lock is held until COMMAND has ended, and with it all that inherited the lock's descriptor from it: to kill mortise alone
does not free it. Signals that are sent to mortise are passed on to COMMAND.

Exit codes:
  124                       the lock was not acquired in time (-E N: N)
  125                       an error of mortise lock itself: bad usage, a file that it does not trust
  126                       COMMAND was found and cannot be run
  127                       COMMAND was not found
  128+n                     COMMAND was ended by signal n; as with timeout(1), mortise ends by it too, and a shell shows this
  any other                 what COMMAND exited with
)";

constexpr std::int64_t longest_wait = 8760 * 3'600'000'000'000;

// The flags in front of COMMAND, one by one.
class reader {
 public:
  explicit reader(const std::vector<std::string>& words) : m_words{words} {}

  bool at_end() const { return m_next == m_words.size(); }
  const std::string& word() { return m_words[m_next++]; }
  std::vector<std::string> rest() const {
    return {m_words.begin() + static_cast<long>(m_next), m_words.end()};
  }

  // Splits what was typed into flag and value: --flag=value, -Evalue, or the next word.
  std::string value(const std::string& flag, const std::string& typed, const char* allowed) {
    if (typed.size() > flag.size()) return typed.substr(flag.size() + (typed.starts_with("--") ? 1 : 0));
    if (at_end()) throw usage_error(fmt::format("{}: has no value; allowed: {}", flag, allowed));
    return word();
  }

 private:
  const std::vector<std::string>& m_words;
  std::size_t m_next = 0;
};

bool is(const std::string& typed, const std::string& flag) {
  return typed == flag || (typed.starts_with(flag) && (!flag.starts_with("--") || typed[flag.size()] == '='));
}

std::int64_t duration(const std::string& flag, const std::string& text) {
  const auto ns = parse_duration(text);
  if (!ns || *ns > longest_wait)
    throw usage_error(fmt::format("{}: {} is no duration in 0..8760h", flag, text));
  return *ns;
}

int exit_code(const std::string& flag, const std::string& text) {
  int code = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (error != std::errc{} || end != text.data() + text.size() || code < 0 || code > 255)
    throw usage_error(fmt::format("{}: {} is not in 0..255", flag, text));
  return code;
}

[[noreturn]] void unknown(const std::string& typed) {
  const std::string near =
      nearest(typed.substr(0, typed.find('=')), {"--timeout", "--no-wait", "--conflict-exit-code", "--help"});
  throw usage_error(near.empty() ? fmt::format("{}: no such flag; see mortise lock --help", typed)
                                 : fmt::format("{}: no such flag; did you mean {}?", typed, near));
}

class once {  // a flag given twice is one of two things meant
 public:
  void is_given(const std::string& flag) {
    if (m_flag == flag) throw usage_error(fmt::format("{}: given 2 times", flag));
    if (!m_flag.empty()) throw usage_error(fmt::format("{}: excludes {}", flag, m_flag));
    m_flag = flag;
  }

 private:
  std::string m_flag;
};

}  // namespace

options parse(const std::vector<std::string>& arguments) {
  options o;
  once waits, conflict;
  bool named = false, flags = true;
  reader words{arguments};
  while (!words.at_end()) {
    const std::string& typed = words.word();
    if (flags && typed == "--") {
      flags = false;
    } else if (flags && typed.size() > 1 && typed[0] == '-') {
      if (typed == "--help" || typed == "-h") throw answer(help);
      if (is(typed, "--timeout")) {
        waits.is_given("--timeout");
        o.timeout_ns = duration("--timeout", words.value("--timeout", typed, "0..8760h"));
      } else if (typed == "--no-wait") {
        waits.is_given("--no-wait");
        o.timeout_ns = 0;
      } else if (is(typed, "--conflict-exit-code") || is(typed, "-E")) {
        const std::string flag = typed[1] == 'E' ? "-E" : "--conflict-exit-code";
        conflict.is_given("--conflict-exit-code");
        o.conflict_code = exit_code(flag, words.value(flag, typed, "0..255"));
      } else if (is(typed, "--no-wait") || is(typed, "--help")) {
        throw usage_error(fmt::format("{}: takes no value", typed.substr(0, typed.find('='))));
      } else {
        unknown(typed);
      }
    } else if (!named) {
      o.name = typed;
      named = true;
    } else {
      o.command = words.rest();
      o.command.insert(o.command.begin(), typed);
      return o;
    }
  }
  throw usage_error(
      fmt::format("lock: no {}; mortise lock NAME [--timeout D | --no-wait] [-E N] [--] COMMAND [ARG...]",
                  named ? "COMMAND" : "NAME and no COMMAND"));
}

}  // namespace app::lock
