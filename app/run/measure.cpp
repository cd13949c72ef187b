#include <app/run/measure.hpp>

#include <time.h>

#include <algorithm>

#include <app/run/interrupt.hpp>

namespace app {

void measure(const run_options& options, const gauges& of, progress& shown, run_result& r) {
  using clock = std::chrono::steady_clock;
  if (r.detail) of.turns_of.begin();
  // The clock is read before the first count and after the last one: nothing is counted that it does not
  // cover, however late this thread gets its turn.
  const auto begin = clock::now();
  const std::uint64_t reads = of.read_ops(), writes = of.write_ops();
  const std::int64_t cpu = of.cpu_ns();
  const auto end = begin + std::chrono::nanoseconds(options.for_ns);
  // A hundred moments, but no more than one in 10 ms: this thread takes a core for each.
  const auto apart =
      std::max(std::chrono::nanoseconds(10'000'000), std::chrono::nanoseconds(options.for_ns / 100));
  if (r.detail) r.detail->throughput.push_back({0, 0});
  auto elapsed = [&] { return std::chrono::duration<double>(clock::now() - begin).count(); };
  const bool live = shown.watched() && options.for_ns > 1'000'000'000;
  while (clock::now() < end && interrupt::signal() == 0) {
    auto until = live ? std::min(end, clock::now() + std::chrono::milliseconds(200)) : end;
    if (r.detail) until = std::min(until, begin + apart * ((clock::now() - begin) / apart + 1));
    if (of.tend) until = std::min(until, of.tend(clock::now()));
    interrupt::sleep_until(until);
    const std::uint64_t ops = of.read_ops() + of.write_ops() - reads - writes;
    if (r.detail) r.detail->throughput.push_back({(clock::now() - begin).count(), ops});
    if (live)
      shown.running(elapsed(), static_cast<double>(options.for_ns) / 1e9, ops,
                    static_cast<double>(ops) / elapsed());
  }
  r.cpu_ns = of.cpu_ns() - cpu;
  r.read_ops = of.read_ops() - reads;
  r.write_ops = of.write_ops() - writes;
  r.duration_ns = (clock::now() - begin).count();
  if (!r.detail) return;
  r.detail->turns = distribute(of.turns_of.since_begin());
  if (r.detail->throughput.size() > 1) r.detail->throughput.pop_back();  // the end is told exactly
  r.detail->throughput.push_back({r.duration_ns, r.read_ops + r.write_ops});
}

std::int64_t cpu_ns_of(pid_t process) {
  clockid_t of = CLOCK_PROCESS_CPUTIME_ID;
  timespec t{};
  if (::clock_getcpuclockid(process, &of) != 0 || ::clock_gettime(of, &t) != 0) return 0;
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

}  // namespace app
