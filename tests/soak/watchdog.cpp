#include "watchdog.hpp"

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

#include <mortise/base/age_clock.hpp>
#include <support/lock_probe.hpp>

#include "ledger.hpp"

namespace soak {
namespace {

struct waiter_seen {
  const void* node;
  const void* parker;
  unsigned long id;
  bool coroutine, by_itself;
  double waited_s, offered_s;  // offered: below 0 if it was not
};

double age_s(mortise::nanos since) { return static_cast<double>(mortise::age_clock_now() - since) / 1e9; }

std::string name_of(const station& s) {
  return std::string(to_string(s.who())) + " " + std::to_string(s.id()) + " (party " +
         std::to_string(the_board().number_of(s)) + ")";
}

// A coroutine is known by where its waiter lies, the others by their parker.
std::string name_of(const waiter_seen& w) {
  for (unsigned i = 0; i < board::size; ++i) {
    const station& s = the_board()[i];
    if (s.who() == kind::nobody) continue;
    if (s.victim() == w.node) return "coroutine that was made to be destroyed by " + name_of(s);
    if (s.node() == w.node || (!w.coroutine && s.parker() == w.parker)) return name_of(s);
  }
  const char* const sort = w.coroutine ? "coroutine" : w.by_itself ? "thread" : "fiber";
  return std::string(sort) + " " + std::to_string(w.id) + " (no party)";
}

}  // namespace

watchdog::watchdog(std::chrono::seconds bound)
    : m_tick{std::chrono::milliseconds(bound) / ticks},
      m_seen(board::size),
      m_thread{[this](std::stop_token stop) { serve(stop); }} {}

void watchdog::serve(const std::stop_token& stop) {
  std::mutex guard;
  std::condition_variable_any never;
  std::unique_lock hold{guard};
  while (!stop.stop_requested()) {
    never.wait_for(hold, stop, m_tick, [] { return false; });
    for (unsigned i = 0; i < board::size; ++i) {
      const std::uint64_t said = the_board()[i].last().all;
      if (the_board()[i].who() == kind::nobody || said != m_seen[i].said) {
        m_seen[i] = {said, 0};
      } else if (++m_seen[i].unchanged > ticks && !stop.stop_requested()) {
        bark(i);
      }
    }
  }
}

double watchdog::silent_s(unsigned station) const {
  return std::chrono::duration<double>(m_tick * m_seen[station].unchanged).count();
}

void watchdog::bark(unsigned first) {
  std::fprintf(stderr, "\nsoak: HUNG: %s has done nothing for %.1f s\n", name_of(the_board()[first]).c_str(),
               silent_s(first));
  tell_mutexes();
  tell_parties();
  std::fflush(stderr);
  std::abort();
}

void watchdog::tell_mutexes() {
  for (unsigned i = 0; i < ledger::cells; ++i) {
    cell& c = the_ledger()[i];
    if (!c.there()) {
      std::fprintf(stderr, "mutex %u: being made anew\n", i);
      continue;
    }
    std::vector<waiter_seen> queue;  // names are looked up after the queue lock has been left
    mortise::lock_probe::view v{};
    const bool readable =
        mortise::lock_probe::look(c.lock(), 100'000, v, [&](const mortise::wait::waiter& w) {
          queue.push_back({&w, w.who, w.who->id(), w.step != nullptr, w.who->runs_by_itself(), age_s(w.since),
                           w.offered == 0 ? -1 : age_s(w.offered)});
        });
    if (readable && !v.held && queue.empty()) continue;
    std::fprintf(stderr, "mutex %u at %p:%s%s%s%s\n", i, static_cast<void*>(&c.lock()),
                 v.held ? " held" : " not held", v.reserved ? ", reserved for the queue" : "",
                 v.watched ? ", watched by the warden" : "",
                 readable ? "" : ", ITS QUEUE IS LOCKED and cannot be shown");
    if (const station* const h = c.holder(); h != nullptr) {
      std::fprintf(stderr, "  holder  %s, which said: %s\n", name_of(*h).c_str(),
                   to_string(h->last().what()));
    } else if (v.held) {
      std::fprintf(stderr,
                   "  holder  unknown: it has taken the lock and not opened the section, or has closed it\n");
    }
    for (const waiter_seen& w : queue) {
      std::fprintf(stderr, "  waits   %s for %.3f s, ", name_of(w).c_str(), w.waited_s);
      if (w.offered_s < 0) {
        std::fputs("not offered\n", stderr);
      } else {
        std::fprintf(stderr, "offered %.3f s ago\n", w.offered_s);
      }
    }
  }
}

void watchdog::tell_parties() {
  for (unsigned i = 0; i < board::size; ++i) {
    const station& s = the_board()[i];
    if (s.who() == kind::nobody) continue;
    const station::said said = s.last();
    std::fprintf(stderr, "party %u: %s %lu, turn %llu: %s", i, to_string(s.who()), s.id(),
                 static_cast<unsigned long long>(said.turn()), to_string(said.what()));
    if (said.cell() != no_cell) std::fprintf(stderr, ", mutex %u", said.cell());
    std::fprintf(stderr, ", silent for %.1f s\n", silent_s(i));
  }
}

}  // namespace soak
