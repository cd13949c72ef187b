// Several processes' worth of sessions on one store in memory, for MORTISE_STRESS_SECONDS (2), from a seed that is printed: threads, fibers and
// coroutines add elements to one value, while answers and requests are lost or refused and leases end. Every element that was acknowledged is there
// once, none that was not applied is there, and none is there twice.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include <mortise/cluster/errors.hpp>
#include <mortise/cluster/guarded.hpp>
#include <mortise/cluster/json/codec.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/task.hpp>
#include <mortise/task/task_scope.hpp>

#include "memory_store.hpp"

namespace {

using namespace std::chrono_literals;
using namespace mortise::cluster;
using cluster_test::memory_store;
using mortise::outcome;
using elements = std::map<std::string, int>;

class fates {
 public:
  void note(const std::string& element, outcome how) {
    const std::lock_guard hold{m_guard};
    m_all[element] = how;
  }
  // How many of each kind there are, once the value is known.
  std::map<outcome, int> check(const elements& value) const {
    std::map<outcome, int> n;
    for (const auto& [element, how] : m_all) {
      ++n[how];
      const auto it = value.find(element);
      const int times = it == value.end() ? 0 : it->second;
      if (how == outcome::acquired) {
        EXPECT_EQ(times, 1) << element << " was acknowledged";
      } else if (how == outcome::unknown) {
        EXPECT_LE(times, 1) << element << " is unknown";
      } else {
        EXPECT_EQ(times, 0) << element << " was not applied: " << static_cast<int>(how);
      }
    }
    return n;
  }

 private:
  mutable std::mutex m_guard;
  std::map<std::string, outcome> m_all;
};

// What an update came to; one that was refused was not applied.
template <class Update>
outcome told(Update update) {
  try {
    return update();
  } catch (const lost_error&) {
    return outcome::lost;
  } catch (const unknown_error&) {
    return outcome::unknown;
  } catch (const refused_error&) {
    return outcome::stopped;
  }
}

TEST(guarded_stress, every_element_is_there_once_or_was_reported) {
  const char* const wanted = std::getenv("MORTISE_STRESS_SECONDS");
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::seconds(wanted != nullptr ? std::atoi(wanted) : 2);
  const char* const given = std::getenv("MORTISE_STRESS_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device{}();
  std::cout << "MORTISE_STRESS_SEED=" << seed << std::endl;
  std::mt19937 random{seed};
  std::map<outcome, int> all;
  int rounds = 0;
  for (; std::chrono::steady_clock::now() < end; ++rounds) {
    memory_store store{std::chrono::microseconds{random() % 300}};
    std::deque<session> sessions;
    std::deque<guarded<elements>> values;
    const unsigned processes = 1 + random() % 4;
    for (unsigned i = 0; i < processes; ++i) {
      sessions.emplace_back(store,
                            session_options{.lease_ttl = std::chrono::milliseconds{300 + random() % 700},
                                            .resolve_within = std::chrono::milliseconds{1 + random() % 200}});
      values.emplace_back(sessions.back(), "state", elements{},
                          handover_bounds{.most = 1 + static_cast<unsigned>(random() % 100)});
    }
    fates told_all;
    std::atomic<bool> stop{false};
    std::jthread trouble{[&, own = std::minstd_rand(random())]() mutable {
      while (!stop) {
        std::this_thread::sleep_for(std::chrono::microseconds{500 + own() % 5000});
        switch (own() % 8) {
          case 0: store.lose_requests = static_cast<int>(own() % 3); break;
          case 1: store.lose_replies = static_cast<int>(own() % 3); break;
          case 2: store.refuse = 1; break;
          case 3: store.look([](auto& s) { s.end_leases_until(mortise::never); }); break;
          default: break;
        }
      }
    }};
    {
      mortise::runtime rt{{.workers = 1 + static_cast<unsigned>(random() % 3), .name = "stress"}};
      mortise::task_scope tasks{rt};
      std::deque<std::jthread> threads;
      const unsigned spice = random();
      const auto block = [&](unsigned i) {
        std::minstd_rand own{spice + i};
        guarded<elements>& g = values[i % processes];
        for (int k = 0; k < 12; ++k) {
          const std::string e = std::to_string(i) + "." + std::to_string(k);
          const auto add = [&](elements& m) { ++m[e]; };
          told_all.note(
              e, told([&] {
                if (own() % 4 == 0) {
                  const auto within = std::chrono::microseconds{own() % 5000};
                  return g.try_update(add, mortise::wait::bound{mortise::deadline_after(within)}).how;
                }
                g.update(add);
                return outcome::acquired;
              }));
        }
      };
      for (unsigned i = 0; i < 12; ++i) tasks.go([&, i] { block(i); });
      for (unsigned i = 12; i < 15; ++i) threads.emplace_back([&, i] { block(i); });
      for (unsigned i = 15; i < 24; ++i) {
        tasks.go([&, i]() -> mortise::task<> {
          for (int k = 0; k < 12; ++k) {
            const std::string e = std::to_string(i) + "." + std::to_string(k);
            // Named: g++ 12 copies the bytes of a closure that is made within a co_await, and a string is not to be copied so.
            const auto add = [&](elements& m) { ++m[e]; };
            outcome how = outcome::acquired;
            try {
              co_await values[i % processes].async_update(add);
            } catch (const lost_error&) {
              how = outcome::lost;
            } catch (const unknown_error&) {
              how = outcome::unknown;
            } catch (const refused_error&) {
              how = outcome::stopped;
            }
            told_all.note(e, how);
          }
        });
      }
      threads.clear();
      tasks.join();
    }
    stop = true;
    trouble.join();
    store.refuse = 0;
    for (const auto& [how, n] : told_all.check(values[0].read([](const elements& m) { return m; })))
      all[how] += n;
    for (int i = 0; i < 5000 && store.look([](auto& s) { return s.count("state//q/"); }) != 0; ++i)
      std::this_thread::sleep_for(1ms);
    EXPECT_EQ(store.look([](auto& s) { return s.count("state//q/"); }), 0u) << "a key was left";
  }
  std::cout << rounds << " rounds; applied " << all[outcome::acquired] << ", lost " << all[outcome::lost]
            << ", unknown " << all[outcome::unknown] << ", timed out " << all[outcome::timed_out]
            << ", refused " << all[outcome::stopped] << std::endl;
  EXPECT_GT(all[outcome::acquired], 0);
}

}  // namespace
