#include <app/cluster/descendants.hpp>
#include <app/cluster/guard.hpp>
#include <app/cluster/lock.hpp>
#include <app/cluster/signals.hpp>
#include <app/cluster/store_at.hpp>
#include <app/lock/command.hpp>
#include <app/lock/options.hpp>
#include <app/lock/supervise.hpp>
#include <app/run/options.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <stop_token>

#include <mortise/base/clock.hpp>
#include <mortise/cluster/boot_clock.hpp>
#include <mortise/cluster/errors.hpp>
#include <mortise/cluster/etcd/store.hpp>
#include <mortise/cluster/mutex.hpp>
#include <mortise/cluster/session.hpp>

namespace app::cluster {
namespace {

namespace mc = mortise::cluster;
using namespace std::chrono_literals;
using mortise::outcome;

// An etcd that nobody reaches, or that does not let us in, is told after so long.
constexpr auto reached_within = 5s;

void reach(const mc::session& here, const std::stop_token& stop) {
  const auto until = std::chrono::steady_clock::now() + reached_within;
  while (!stop.stop_requested()) {
    try {
      return here.require_lease(100ms);
    } catch (const mc::refused_error&) {
      if (std::chrono::steady_clock::now() >= until) throw;
    }
  }
}

outcome acquire(const lock::options& o, const mc::session& here, mc::mutex& m, const signals& s) {
  const mortise::nanos deadline =
      o.timeout_ns ? mortise::deadline_after(std::chrono::nanoseconds{*o.timeout_ns}) : mortise::never;
  reach(here, s.wish());
  if (s.wish().stop_requested()) return outcome::stopped;
  if (!o.timeout_ns) return m.lock_or_stop(s.wish());
  const mortise::nanos left = deadline - mortise::now_ns();
  if (left <= 0) return m.try_lock() ? outcome::acquired : outcome::timed_out;
  return m.lock_or_stop(s.wish(), std::chrono::nanoseconds{left});
}

// Of a pipe that COMMAND has closed nobody else should hold an end. What is open next must not be taken for one of them.
void leave_streams_to_command() {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO}) ::dup2(nothing, stream);
}

// From the start of COMMAND to its end.
guard::result run_guarded(const lock::options& o, const mc::session& here, const mc::mutex& m, guard& g,
                          signals& s) {
  const auto deadline = [&] {
    const mortise::nanos now = mc::boot_now();  // first: rather too early than too late
    return now + here.good_for().count();
  };
  const std::stop_callback on_loss{m.lost(), [&] { g.lock_is_gone(); }};
  s.keep();
  g.start(o.name, m.token(), deadline());
  leave_streams_to_command();
  while (g.command() == 0 && !s.wait_for_guard(1ms)) {}
  s.pass_on();
  const auto often =
      std::clamp<std::chrono::nanoseconds>(std::chrono::nanoseconds{o.ttl_ns} / 20, 10ms, 500ms);
  while (!s.wait_for_guard(often)) g.put_off(deadline());
  return g.ended();
}

lock::ended run(const lock::options& o) {
  const sigset_t before = block_signals();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // whoever the guard would leave behind comes here
  const terminal mine;
  guard g{o.command, o.grace_ns, before};
  mc::etcd_store store{options_of(o.place)};
  mc::session here{store, {.lease_ttl = std::chrono::nanoseconds{o.ttl_ns}}};
  signals s{g, mine};
  mc::mutex m{here, o.name};
  const outcome how = acquire(o, here, m, s);
  if (how == outcome::stopped) return {0, s.first()};
  if (how != outcome::acquired) return {o.conflict_code, 0};
  const guard::result r = run_guarded(o, here, m, g, s);
  kill_descendants();  // of a guard that was killed; another one has left none
  m.unlock();
  if (r.start_error != 0) throw lock::why_not(o.command[0], r.start_error);
  if (!r.has_ended) throw std::runtime_error("the guard of COMMAND was killed, and COMMAND with it");
  if (r.in_time) return {r.code, r.signal};
  fmt::print(
      stderr, "mortise: {}\n",
      usage_error{
          fmt::format("lock {}: it was lost, or its lease could not be renewed in time: COMMAND was ended",
                      o.name)}
          .what());  // one line whatever was typed
  return {lock::lost, 0};
}

}  // namespace

int lock(const std::vector<std::string>& arguments) {
  lock::ended how{};
  const int code = lock::told([&] {
    const lock::options o = lock::parse(arguments);
    try {
      how = run(o);
    } catch (const std::invalid_argument& e) {  // of the name, or what only etcd_store can tell
      throw usage_error(e.what());
    }
    return how.code;
  });
  if (code != 0 || how.signal == 0) return code;
  lock::end_by(how.signal);
  return 128 + how.signal;
}

}  // namespace app::cluster
