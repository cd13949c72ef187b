// A program that can be asked what it is at: names, a dump, a watch for deadlocks, and a profile of who makes others wait.
#include <chrono>
#include <cstdio>
#include <string>

#include <mortise/insight/deadlock.hpp>
#include <mortise/insight/dump.hpp>
#include <mortise/insight/named.hpp>
#include <mortise/insight/profile.hpp>
#include <mortise/mortise.hpp>

using namespace std::chrono_literals;
namespace insight = mortise::insight;

int main() {
  insight::dump_on_sigquit();      // kill -QUIT, or Ctrl-\ at a terminal
  insight::watch_for_deadlocks();  // reported on standard error, if there is one
  insight::profile::start();

  mortise::guarded<long> balance{0};
  const insight::named name{balance, "balance"};
  mortise::task_scope tasks;
  for (int i = 0; i < 4; ++i) {
    tasks.go([&, i] {
      mortise::this_task::name("teller " + std::to_string(i));
      for (int times = 0; times < 50; ++times) {
        balance.with([](long& b) {
          b += 1;
          mortise::sleep_for(200us);  // the others wait
        });
      }
    });
  }
  mortise::sleep_for(2ms);
  std::fputs(insight::dump().c_str(), stdout);  // who waits for 'balance' just now
  tasks.join();

  insight::profile::stop();
  if (insight::profile::can_write()) insight::profile::write("/dev/null");  // go tool pprof -top FILE
  return balance.read([](long b) { return b; }) == 200 ? 0 : 1;
}
