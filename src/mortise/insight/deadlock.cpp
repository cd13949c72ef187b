#include <mortise/insight/deadlock.hpp>

#include <unistd.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include <mortise/base/clock.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/base/process_once.hpp>
#include <mortise/insight/dump.hpp>
#include <mortise/insight/wait_graph.hpp>

namespace mortise::inline MORTISE_ABI::insight {
namespace {

void write_to_standard_error(const char* text) noexcept {
  const std::string all{text};
  [[maybe_unused]] const auto n = ::write(STDERR_FILENO, all.data(), all.size());
}

bool share(const wait_ids& a, const wait_ids& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& w) { return b.contains(w); });
}

// What one look saw may never have been at one time: waits and holders are read one after the other. A wait that is the same at the next look
// has gone on all along, and so has what it waits for been held by somebody; that this was always the same one, who waits likewise, is all but
// certain, and is what the second look at the holders asks again.
//
// Cycles may be as many as there are tasks in a scope, so none is compared with each.
void look_for_ever(deadlock_options options) {
  std::set<wait_ids> last;
  wait_ids reported;
  for (;;) {
    sleep_this_thread_until(now_ns() + std::chrono::nanoseconds{options.look_every}.count());
    std::set<wait_ids> now;
    wait_ids stuck;
    for (const wait_cycle& c : cycles_of(wait_book::of_process().all())) {
      wait_ids waits = waits_in(c);
      stuck.insert(waits.begin(), waits.end());
      if (last.contains(waits) && !share(waits, reported)) {
        reported.insert(waits.begin(), waits.end());
        const std::string text = report_of(c, now_ns());
        (options.report != nullptr ? options.report : &write_to_standard_error)(text.c_str());
      }
      now.insert(std::move(waits));
    }
    std::erase_if(reported, [&](const auto& w) { return !stuck.contains(w); });
    last = std::move(now);
  }
}

}  // namespace

void watch_for_deadlocks(deadlock_options options) {
  using namespace std::chrono_literals;
  if (options.look_every < 10ms || options.look_every > 1min)
    throw std::invalid_argument{"mortise: watch_for_deadlocks: look_every is not in 10 ms .. 1 min"};
  static constinit process_once once;
  once([&] {
    os_thread looks{[options] { look_for_ever(options); }};
    name_thread(looks, "mortise-deadlock");
    looks.detach();
    watch_waits(options.shown);
  });
}

}  // namespace mortise::inline MORTISE_ABI::insight
