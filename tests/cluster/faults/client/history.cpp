#include "history.hpp"

#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

namespace faults {
namespace {

// One clock for all processes of the machine, whatever network they are in.
std::string now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return std::to_string(t.tv_sec * 1'000'000'000 + t.tv_nsec);
}

const char* text_of(ending e) {
  switch (e) {
    case ending::ok: return "ok";
    case ending::lost: return "lost";
    case ending::failed: return "failed";
    case ending::unknown: return "unknown";
  }
  std::abort();
}

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(2);
}

}  // namespace

history::history(const char* file) : m_file{open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)} {
  if (m_file < 0) give_up(file);
}
history::~history() { close(m_file); }

std::int64_t history::add_begins(const std::string& key, std::int64_t element) {
  return begins(key, R"("add","x":)" + std::to_string(element));
}
std::int64_t history::read_begins(const std::string& key) { return begins(key, R"("read")"); }

std::int64_t history::begins(const std::string& key, const std::string& what) {
  const std::int64_t op = m_next++;
  write(R"({"t":)" + now() + R"(,"op":)" + std::to_string(op) + R"(,"key":")" + key + R"(","do":)" + what +
        "}\n");
  return op;
}

void history::ends(std::int64_t op, const result& r, bool read) {
  std::string line =
      R"({"t":)" + now() + R"(,"op":)" + std::to_string(op) + R"(,"end":")" + text_of(r.how) + '"';
  if (r.how == ending::ok && read) {
    line += R"(,"value":[)";
    for (const std::int64_t x : r.value) line += std::to_string(x) + ',';
    if (line.back() == ',') line.pop_back();
    line += ']';
  } else if (r.how == ending::ok) {
    line += R"(,"at":)" + std::to_string(r.at);
  }
  write(line + "}\n");
}

// In one call: lines of several threads do not mix.
void history::write(const std::string& line) {
  if (::write(m_file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) give_up("history");
}

}  // namespace faults
