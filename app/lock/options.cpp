#include <app/lock/options.hpp>
#include <app/run/duration.hpp>
#include <app/run/options.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace app::lock {
namespace {

constexpr const char* help =
    R"(Runs COMMAND while this user holds the lock NAME, on this machine; with --cluster, while this machine holds it among all that share an etcd.
Usage: mortise lock NAME [--timeout D | --no-wait] [-E N] [--] COMMAND [ARG...]
       mortise lock --cluster NAME [--endpoints LIST] [--ttl D] [--grace D] [--timeout D | --no-wait] [-E N] [--] COMMAND [ARG...]

  --timeout D               wait for the lock for D at most, in 0..8760h; without it for as long as it takes
  --no-wait                 do not wait: the same as --timeout 0
  -E, --conflict-exit-code N
                            exit with N, in 0..255, if the lock was not acquired (124)
  -h, --help                this text

  --cluster                 the lock is a key in etcd, and the others are on any machine
  --endpoints LIST          etcd's: http://HOST:PORT or https://HOST:PORT, several with a comma between (http://127.0.0.1:2379)
  --tls-ca, --tls-cert, --tls-key FILE
                            PEM files: whom to trust; a client certificate and its key
  --user NAME               etcd's user; the password is in MORTISE_ETCD_PASSWORD
  --prefix P                before each key: a role that may read and write below it suffices (mortise/)
  --ttl D                   so long after this machine's last sign of life the lock is taken from it, in 1s..1h (10s); etcd may make it longer
  --grace D                 so long before it may have been taken COMMAND gets SIGTERM, in 0..2/5 of --ttl (2s)

NAME has 1 to 64 letters, digits, '.', '-' and '_', and begins with none of '.' and '-'. The lock is the file NAME.lock in this
user's runtime directory: $MORTISE_RUNTIME_DIR, else $XDG_RUNTIME_DIR/mortise, else /tmp/mortise-UID.
Durations are a number and h, m, s, ms, us or ns (1m, 250ms, 1.5s), or 0.

COMMAND finds in its environment
  MORTISE_LOCK              NAME
  MORTISE_TOKEN             a number that is greater each time the lock is acquired: who keeps the greatest that it has seen
                            can refuse one who comes late

The lock is held until COMMAND has ended, and with it all that inherited the lock's descriptor from it: to kill mortise alone
does not free it. Signals that are sent to mortise are passed on to COMMAND.

With --cluster NAME has 1 to 200 bytes, no control characters, no '//', and no '/' at its ends. MORTISE_TOKEN is etcd's revision: what COMMAND writes to
should refuse lower ones. The lock is held until COMMAND has ended. COMMAND is a process group of its own. When the lease cannot be renewed the
group, and all else that COMMAND has started, gets SIGTERM --grace before the lease may be over, and SIGKILL before it is. It gets SIGKILL at once if
the lock is seen gone, or if mortise is killed. What COMMAND leaves running when it ends has --grace to end too, then gets SIGTERM, and SIGKILL --grace later.

Exit codes:
  123                       --cluster: the lock was lost, or was about to be, and COMMAND was ended
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
      nearest(typed.substr(0, typed.find('=')),
              {"--timeout", "--no-wait", "--conflict-exit-code", "--help", "--cluster", "--endpoints",
               "--tls-ca", "--tls-cert", "--tls-key", "--user", "--prefix", "--ttl", "--grace"});
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

// The flags that go with --cluster.
class cluster_reader {
 public:
  // Whether it was one of them.
  bool read(const std::string& typed, reader& words, options& o) {
    if (typed == "--cluster") {
      if (o.cluster) throw usage_error("--cluster: given 2 times");
      return o.cluster = true;
    }
    if (is(typed, "--cluster")) throw usage_error("--cluster: takes no value; NAME is a word of its own");
    for (auto& [flag, to] : {std::pair{"--tls-ca", &o.place.ca},
                             {"--tls-cert", &o.place.certificate},
                             {"--tls-key", &o.place.key},
                             {"--user", &o.place.user},
                             {"--prefix", &o.place.prefix}}) {
      if (!is(typed, flag)) continue;
      *to = given(flag, typed, words, "text");
      return true;
    }
    if (is(typed, "--endpoints")) {
      o.place.endpoints = endpoints_of(given("--endpoints", typed, words, "http://HOST:PORT,..."));
    } else if (is(typed, "--ttl")) {
      o.ttl_ns = duration_in("--ttl", given("--ttl", typed, words, "1s..1h"), second, 3600 * second);
    } else if (is(typed, "--grace")) {
      m_grace = given("--grace", typed, words, "0..2/5 of --ttl");
    } else {
      return false;
    }
    return true;
  }

  void settle(options& o) const {
    if (!o.cluster) {
      if (!m_given.empty()) throw usage_error(fmt::format("{}: works with --cluster only", m_given.front()));
      return;
    }
    if (!m_grace.empty()) {
      o.grace_ns = duration_in("--grace", m_grace, 0, o.ttl_ns / 5 * 2);
    } else {
      o.grace_ns = std::min(o.grace_ns, o.ttl_ns / 5 * 2);
    }
    if (o.place.is_private()) o.place.endpoints = {"http://127.0.0.1:2379"};
    check(o.place);
  }

 private:
  static constexpr std::int64_t second = 1'000'000'000;

  std::string given(const std::string& flag, const std::string& typed, reader& words, const char* allowed) {
    if (std::find(m_given.begin(), m_given.end(), flag) != m_given.end())
      throw usage_error(fmt::format("{}: given 2 times", flag));
    m_given.push_back(flag);
    std::string value = words.value(flag, typed, allowed);
    if (value.empty() && flag != "--prefix")
      throw usage_error(fmt::format("{}: has no value; allowed: {}", flag, allowed));
    return value;
  }
  static std::int64_t duration_in(const char* flag, const std::string& text, std::int64_t least,
                                  std::int64_t most) {
    const auto ns = parse_duration(text);
    if (!ns || *ns < least || *ns > most) {
      throw usage_error(fmt::format("{}: {} is no duration in {}..{}", flag, text, format_duration(least),
                                    format_duration(most)));
    }
    return *ns;
  }

  std::vector<std::string> m_given;
  std::string m_grace;  // checked when the TTL is known
};

}  // namespace

options parse(const std::vector<std::string>& arguments) {
  options o;
  once waits, conflict;
  cluster_reader cluster;
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
      } else if (!cluster.read(typed, words, o)) {
        unknown(typed);
      }
    } else if (!named) {
      o.name = typed;
      named = true;
    } else {
      o.command = words.rest();
      o.command.insert(o.command.begin(), typed);
      cluster.settle(o);
      return o;
    }
  }
  throw usage_error(
      fmt::format("lock: no {}; mortise lock NAME [--timeout D | --no-wait] [-E N] [--] COMMAND [ARG...]",
                  named ? "COMMAND" : "NAME and no COMMAND"));
}

}  // namespace app::lock
