// cluster_fault_client --arm fenced|v3lock|unfenced --endpoints URL,... --id N --history FILE [--lease-ttl-ms N]
//                      [--key-seconds N --begin NS | --read KEY,...]
//
// Adds elements that nobody else adds to a list in the store, and reads it, until SIGTERM; the list is another one every so many seconds from a time of
// CLOCK_MONOTONIC on.
// SIGUSR2: the next time that it is in the middle of an update the whole process stops. With --read it reads these lists once.

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "arm.hpp"
#include "history.hpp"

namespace faults {
namespace {

using namespace std::chrono_literals;

constexpr int adders = 2;
constexpr std::int64_t elements_of_a_client = 1'000'000;

std::atomic<bool> g_ends{false}, g_stops{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set by signal handlers");

struct keys {
  std::chrono::nanoseconds begin{0};
  std::chrono::seconds each{20};
  std::string now() const {
    return "k" + std::to_string((std::chrono::steady_clock::now().time_since_epoch() - begin) / each);
  }
};

void pause(std::mt19937_64& chance, std::chrono::microseconds most) {
  std::this_thread::sleep_for(std::chrono::microseconds{chance() % most.count()});
}

void add_all_the_time(arm& a, history& h, const keys& k, std::int64_t first) {
  std::mt19937_64 chance{static_cast<std::uint64_t>(first)};
  for (std::int64_t x = first; !g_ends; ++x) {
    const std::string key = k.now();
    const std::int64_t op = h.add_begins(key, x);
    h.add_ends(op, a.add(key, x));
    pause(chance, 40ms);
  }
}

result read(arm& a, history& h, const std::string& key) {
  const std::int64_t op = h.read_begins(key);
  result r = a.read(key);
  h.read_ends(op, r);
  return r;
}

int read_each(arm& a, history& h, const std::string& keys) {
  for (std::size_t at = 0; at < keys.size();) {
    const std::size_t end = std::min(keys.find(',', at), keys.size());
    for (int tries = 1; read(a, h, keys.substr(at, end - at)).how != ending::ok; ++tries) {
      if (tries == 20) return 1;
      std::this_thread::sleep_for(500ms);
    }
    at = end + 1;
  }
  return 0;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    all.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

using flags = std::map<std::string, std::string>;

const std::string& need(const flags& f, const char* name) {
  const auto at = f.find(name);
  if (at == f.end()) {
    std::fprintf(stderr, "cluster_fault_client: %s is missing\n", name);
    std::exit(2);
  }
  return at->second;
}

std::unique_ptr<arm> make(const std::string& name, const settings& s) {
  if (name == "fenced") return make_fenced(s);
  if (name == "v3lock") return make_v3lock(s);
  if (name == "unfenced") return make_unfenced(s);
  std::fprintf(stderr, "cluster_fault_client: --arm '%s' is none of fenced, v3lock, unfenced\n",
               name.c_str());
  std::exit(2);
}

int run(const flags& f) {
  std::signal(SIGTERM, [](int) { g_ends = true; });
  std::signal(SIGUSR2, [](int) { g_stops = true; });
  settings s{split(need(f, "--endpoints"))};
  if (f.contains("--lease-ttl-ms"))
    s.lease_ttl = std::chrono::milliseconds{std::stoi(f.at("--lease-ttl-ms"))};
  const std::int64_t id = std::stoll(need(f, "--id"));
  history h{need(f, "--history").c_str()};
  const std::unique_ptr<arm> a = make(need(f, "--arm"), s);
  if (f.contains("--read")) return read_each(*a, h, f.at("--read"));

  const keys k{std::chrono::nanoseconds{std::stoll(need(f, "--begin"))},
               std::chrono::seconds{std::stoi(need(f, "--key-seconds"))}};
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < adders; ++i)
      all.emplace_back([&, i] { add_all_the_time(*a, h, k, (id * adders + i) * elements_of_a_client); });
    std::mt19937_64 chance{static_cast<std::uint64_t>(id)};
    while (!g_ends) {
      read(*a, h, k.now());
      pause(chance, 1s);
    }
  }
  if (const std::string said = a->counted(); !said.empty()) std::printf("%s\n", said.c_str());
  return 0;
}

}  // namespace

void in_the_middle() {
  std::this_thread::sleep_for(1ms);
  if (g_stops.exchange(false))
    std::raise(SIGSTOP);  // this very thread comes no further; after kill(2) it might
}

}  // namespace faults

int main(int argc, char** argv) {
  faults::flags f;
  for (int i = 1; i + 1 < argc; i += 2) f[argv[i]] = argv[i + 1];
  return faults::run(f);
}
