#include <mortise/cluster/prometheus.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <system_error>

namespace mortise::inline MORTISE_ABI::cluster {

namespace {

template <class Number>
std::string shortest(Number n) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), n).ptr};
}
std::string seconds(std::uint64_t ns) { return shortest(static_cast<double>(ns) / 1e9); }

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string with(std::string labels, std::string_view name, std::string_view value) {
  if (!labels.empty()) labels += ',';
  labels.append(name).append("=\"").append(escaped(value)).append("\"");
  return labels;
}

// One metric: what is common to its samples, and then those.
class metric {
 public:
  metric(std::string& out, std::string_view name, std::string_view type, std::string_view help)
      : m_out{out}, m_name{"mortise_cluster_"} {
    m_name += name;
    m_out.append("# HELP ").append(m_name).append(" ").append(help).append("\n");
    m_out.append("# TYPE ").append(m_name).append(" ").append(type).append("\n");
  }
  void sample(std::string_view labels, std::string_view value, std::string_view suffix = {}) {
    m_out.append(m_name).append(suffix);
    if (!labels.empty()) m_out.append("{").append(labels).append("}");
    m_out.append(" ").append(value).append("\n");
  }
  void histogram(const std::string& labels, const durations& d) {
    for (unsigned power = durations::first_power; power <= durations::last_power; ++power) {
      sample(with(labels, "le", seconds(std::uint64_t{1} << power)), shortest(d.within_power(power)),
             "_bucket");
    }
    sample(with(labels, "le", "+Inf"), shortest(d.count()), "_bucket");
    sample(labels, seconds(d.sum_ns()), "_sum");
    sample(labels, shortest(d.count()), "_count");
  }

 private:
  std::string& m_out;
  std::string m_name;
};

struct counter {
  const char* name;
  std::uint64_t numbers::* count;
  const char* help;
};
constexpr counter counters[] = {
    {"acquisitions_total", &numbers::acquisitions, "Times a party of the process had the lock."},
    {"tenures_total", &numbers::tenures, "Times the process asked for the key of the lock."},
    {"given_up_total", &numbers::given_up, "Waits for the key that were given up."},
    {"lost_total", &numbers::lost, "Keys that were gone before they were given back."},
    {"refused_total", &numbers::refused, "Keys that the store would not have."},
    {"commits_total", &numbers::commits, "Changes of the value that were applied."},
    {"updates_repeated_total", &numbers::updates_again, "Updates whose closure had to run again."},
    {"unknown_commits_total", &numbers::unknown, "Commits that were not answered."},
};

// One metric whose samples differ in a label.
struct split {
  const char* name;
  const char* label;
  const char* help;
  std::vector<std::pair<const char*, std::uint64_t numbers::*>> samples;
};
const std::vector<split>& splits() {
  static const std::vector<split> all{
      {"handovers_total",
       "kind",
       "Acquisitions from another party of the process (local), and of the key from another process.",
       {{"local", &numbers::local_handovers}, {"remote", &numbers::remote_handovers}}},
      {"updates_total",
       "outcome",
       "Updates by what became of them.",
       {{"applied", &numbers::updates},
        {"lost", &numbers::updates_lost},
        {"unknown", &numbers::updates_unknown}}},
      {"unknown_commits_resolved_total",
       "as",
       "What commits that were not answered turned out to be.",
       {{"applied", &numbers::resolved_applied},
        {"not_applied", &numbers::resolved_not_applied},
        {"unresolved", &numbers::unresolved}}},
  };
  return all;
}

struct histogram {
  const char* name;
  durations numbers::* lengths;
  const char* help;
};
constexpr histogram histograms[] = {
    {"wait_seconds", &numbers::wait, "From asking for the lock to having it."},
    {"hold_seconds", &numbers::hold, "From having the lock to leaving it."},
    {"key_kept_seconds", &numbers::kept, "How long the process kept the key."},
};

struct lease_counter {
  const char* name;
  std::uint64_t lease_numbers::* count;
  const char* help;
};
constexpr lease_counter lease_counters[] = {
    {"leases_total", &lease_numbers::leases, "Leases that were granted."},
    {"leases_gone_total", &lease_numbers::gone, "Leases that the store did not have any more."},
    {"lease_renewals_total", &lease_numbers::renewals, "Renewals that were answered."},
    {"lease_failures_total", &lease_numbers::failures,
     "Grants and renewals that were not answered, or refused."},
};

[[noreturn]] void fail(const std::string& what, int error) {
  throw std::system_error{error, std::generic_category(), what};
}

}  // namespace

void prometheus_page::add(const session_numbers& n, const labels& l) {
  std::string common;
  for (const auto& [name, value] : l) common = with(std::move(common), name, value);
  for (const auto& [lock, counted] : n.locks) m_locks.push_back({with(common, "lock", lock), counted});
  m_sessions.push_back({std::move(common), n.lease});
}

std::string prometheus_page::text() const {
  std::string out;
  if (!m_locks.empty()) {
    for (const counter& c : counters) {
      metric m{out, c.name, "counter", c.help};
      for (const of_lock& l : m_locks) m.sample(l.labels, shortest(l.counted.*c.count));
    }
    for (const split& s : splits()) {
      metric m{out, s.name, "counter", s.help};
      for (const of_lock& l : m_locks) {
        for (const auto& [value, count] : s.samples)
          m.sample(with(l.labels, s.label, value), shortest(l.counted.*count));
      }
    }
    for (const histogram& h : histograms) {
      metric m{out, h.name, "histogram", h.help};
      for (const of_lock& l : m_locks) m.histogram(l.labels, l.counted.*h.lengths);
    }
  }
  if (m_sessions.empty()) return out;
  for (const lease_counter& c : lease_counters) {
    metric m{out, c.name, "counter", c.help};
    for (const of_session& s : m_sessions) m.sample(s.labels, shortest(s.counted.*c.count));
  }
  metric age{out, "lease_age_seconds", "gauge",
             "Since the grant or renewal was sent that was answered last; 0 without a lease."};
  for (const of_session& s : m_sessions)
    age.sample(s.labels, shortest(static_cast<double>(s.counted.age) / 1e9));
  metric good{out, "lease_good_seconds", "gauge", "How long the lease is good yet by the local clock."};
  for (const of_session& s : m_sessions)
    good.sample(s.labels, shortest(static_cast<double>(s.counted.good_for) / 1e9));
  return out;
}

void prometheus_page::write(const std::string& file) const {
  const std::string page = text();
  const std::string beside = file + "." + shortest(::getpid()) + ".tmp";
  const int fd = ::open(beside.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0) fail(beside, errno);
  int error = 0;
  for (std::string_view rest = page; error == 0 && !rest.empty();) {
    const ssize_t n = ::write(fd, rest.data(), rest.size());
    if (n > 0) {
      rest.remove_prefix(static_cast<std::size_t>(n));
    } else if (n == 0 || errno != EINTR) {
      error = n == 0 ? ENOSPC : errno;
    }
  }
  ::close(fd);
  if (error == 0 && ::rename(beside.c_str(), file.c_str()) != 0) error = errno;
  if (error == 0) return;
  ::unlink(beside.c_str());
  fail(file, error);
}

}  // namespace mortise::inline MORTISE_ABI::cluster
