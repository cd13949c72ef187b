#pragma once

// Many processes change one value as fast as they can and are killed at any moment, one after the other; a new one takes the
// place of each. The value accounts for itself: what was acknowledged is in it, and nothing else but one change that was under
// way. Beside it is an area that whoever is inside scribbles over: what appears in it that the one inside did not write is from
// one who should be dead.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <support/forked.hpp>

#include "child.hpp"
#include "finding.hpp"
#include "subject.hpp"
#include "value.hpp"

namespace crash {

template <unsigned Parties>
struct account {
  std::uint64_t token;           // of who was here last
  std::uint64_t count[Parties];  // changes of each
  std::uint64_t total;
  std::uint64_t checksum;

  std::uint64_t sum() const noexcept {
    std::uint64_t s = mixed(token) ^ total;
    for (const std::uint64_t c : count) s = mixed(s ^ c);
    return s;
  }
};

struct hammering_plan {
  unsigned kills = 300;
  unsigned seed = 1;
  std::chrono::milliseconds patience{60'000};  // without any change: it hangs
  std::chrono::milliseconds limit{3'600'000};  // it does not go on for longer
};

struct hammering_result {
  verdict found;
  std::uint64_t changes = 0, kills = 0, kills_inside = 0, told = 0;
};

// Subject's value is account<Processes * PartiesEach>.
template <unsigned Processes, unsigned PartiesEach>
class hammering {
 public:
  static constexpr unsigned parties = Processes * PartiesEach;
  using value = account<parties>;

  static value initial() noexcept {
    value v{};
    v.checksum = v.sum();
    return v;
  }

  // One change by a party, with all that it looks at.
  template <class Subject>
  void change(Subject& s, unsigned party) {
    book& b = m_shared->books[party];
    std::uint64_t n = 0;
    s.update([&](value& v, tenure_facts t) {
      const std::uint64_t mine = m_shared->stamps.fetch_add(1) + 1;
      b.inside.store(true);
      m_shared->inside.store(party + 1);
      look_at(v, t);
      // What the party, or the one before in its place, was told is done, and at most what it was about when it was killed.
      if (v.count[party] < b.acknowledged.load())
        complain(finding::mistaken, "an acknowledged change is lost");
      if (v.count[party] > b.attempted.load()) complain(finding::mistaken, "a change was made twice");
      n = v.count[party] + 1;
      b.attempted.store(n);
      const int rounds = n % 8 == 0 ? 1'000 : 4;  // short ones and long ones
      for (int round = 0; round < rounds; ++round) scribble(mine, round == 0);
      v.token = t.token;
      v.count[party] = n;
      for (int round = 0; round < rounds; ++round) scribble(mine, false);
      v.total += 1;
      v.checksum = v.sum();
      scribble(mine, false);
      m_shared->inside.store(0);
      b.inside.store(false);
    });
    b.acknowledged.store(n);
    m_shared->changes.fetch_add(1, std::memory_order_relaxed);
  }

  // A look without a change.
  template <class Subject>
  void look(Subject& s) {
    s.read([&](const value& v) { look_at(v, tenure_facts{0, false}); });
  }

  bool over() const noexcept { return m_shared->over.load(std::memory_order_relaxed); }

  // `live(process)` is what each child does until over().
  template <class Subject, class Live>
  hammering_result run(Subject& s, Live live, const hammering_plan& plan) {
    std::mt19937 draw{plan.seed};
    std::vector<child> children;
    const auto born = [&](unsigned i) {
      return child{[&, i] {
        live(i);
        return 0;
      }};
    };
    for (unsigned i = 0; i < Processes; ++i) children.push_back(born(i));

    hammering_result r;
    std::vector<unsigned> dying;  // it may take them some time, when there are many threads
    const auto bury = [&] {
      std::erase_if(dying, [&](unsigned i) {
        if (!children[i].gone()) return false;
        if (children[i].wait() != -SIGKILL) complain(finding::broken, "a child has ended by itself");
        if (was_inside(i)) ++r.kills_inside;
        children[i] = born(i);
        return true;
      });
    };
    const auto until = std::chrono::steady_clock::now() + plan.limit;
    // On a machine that is busy with other things it goes on until it has seen what it is there to see.
    const auto enough = [&] { return std::chrono::steady_clock::now() >= until && r.kills_inside > 0; };
    while (r.kills < plan.kills && !complaint() && going_on(plan) && !enough()) {
      pause(draw);
      bury();
      const unsigned victim = draw() % 2 == 0 ? somebody_inside() : draw() % Processes;
      if (dying.size() > Processes / 2) continue;  // the others are to get on
      if (std::find(dying.begin(), dying.end(), victim) != dying.end()) continue;
      if (draw() % 8 == 0) {  // one that stands still
        children[victim].signal(SIGSTOP);
        pause(draw);
      }
      children[victim].signal(SIGKILL);
      dying.push_back(victim);
      if (++r.kills % 16 == 0 && !is_to_be_had(s, plan)) break;
    }
    while (!dying.empty() && !complaint() && going_on(plan)) bury();
    m_shared->over.store(true);
    finish(s, children, plan);
    r.changes = m_shared->changes.load();
    r.told = m_shared->told.load();
    if (r.told > r.kills) complain(finding::mistaken, "told of more deaths than there were");
    if (m_shared->claimed.load()) r.found = {m_shared->what.load(), m_shared->how};
    return r;
  }

 private:
  struct book {
    std::atomic<std::uint64_t> attempted, acknowledged;
    std::atomic<bool> inside;
  };
  struct area {
    std::array<std::atomic<std::uint64_t>, 64> scribbles;
    std::atomic<std::uint64_t> stamps, changes, told;
    std::atomic<unsigned> inside;  // party + 1
    std::atomic<bool> over, claimed;
    std::atomic<finding> what;
    const char* how;
    std::array<book, parties> books;
  };

  void complain(finding what, const char* how) noexcept {  // a literal: children have it at the same address
    if (m_shared->claimed.exchange(true)) return;
    m_shared->how = how;
    m_shared->what.store(what);
  }
  bool complaint() const noexcept { return m_shared->what.load() != finding::nothing; }

  void look_at(const value& v, tenure_facts t) noexcept {
    if (v.checksum != v.sum()) complain(finding::torn, "the checksum is another value's");
    std::uint64_t total = 0;
    for (const std::uint64_t c : v.count) total += c;
    if (total != v.total) complain(finding::torn, "the counts are of different values");
    if (t.token != 0 && t.token <= v.token)
      complain(finding::mistaken, "a token is not higher than the one before");
    if (t.owner_died) m_shared->told.fetch_add(1);
  }

  void scribble(std::uint64_t mine, bool first) noexcept {
    for (auto& s : m_shared->scribbles) {
      if (!first && s.load(std::memory_order_relaxed) != mine)
        complain(finding::haunted, "somebody else stored while this one was inside");
      s.store(mine, std::memory_order_relaxed);
    }
  }

  // The process that is inside; or was, a moment ago.
  unsigned somebody_inside() const noexcept {
    unsigned inside = 0;
    for (int i = 0; i < 200'000 && inside == 0; ++i)
      inside = m_shared->inside.load(std::memory_order_relaxed);
    return inside == 0 ? 0 : (inside - 1) / PartiesEach;
  }

  static void pause(std::mt19937& draw) {
    std::this_thread::sleep_for(std::chrono::microseconds{draw() % 1'500});
  }

  // False: nothing has changed for long.
  bool going_on(const hammering_plan& plan) {
    const std::uint64_t before = m_shared->changes.load();
    const auto until = std::chrono::steady_clock::now() + plan.patience;
    while (m_shared->changes.load() == before && !complaint()) {
      if (std::chrono::steady_clock::now() > until) {
        complain(finding::stuck, "nobody gets on any more");
        return false;
      }
      std::this_thread::sleep_for(std::chrono::microseconds{50});
    }
    return true;
  }

  // Now and then from outside, while the last one may still be dying.
  template <class Subject>
  bool is_to_be_had(Subject& s, const hammering_plan& plan) {
    const bool had = s.update_for(plan.patience, [&](value& now, tenure_facts t) {
      look_at(now, t);
      now.token = t.token;
      now.checksum = now.sum();
    });
    if (!had) complain(finding::stuck, "nobody has the lock any more");
    return had;
  }

  bool was_inside(unsigned process) {
    bool inside = false;
    for (unsigned i = 0; i < PartiesEach; ++i)
      inside |= m_shared->books[process * PartiesEach + i].inside.exchange(false);
    return inside;
  }

  template <class Subject>
  void finish(Subject& s, std::vector<child>& children, const hammering_plan& plan) {
    const auto until = std::chrono::steady_clock::now() + plan.patience;
    for (child& c : children) {
      while (!c.gone()) {
        if (complaint() || std::chrono::steady_clock::now() > until) {
          complain(finding::stuck, "a child does not come to its end");
          return;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
      }
      if (c.wait() != 0) complain(finding::broken, "a child has failed");
    }
    std::uint64_t sum = 0;
    s.update_for(plan.patience, [&](value& v, tenure_facts t) {
      look_at(v, t);
      for (unsigned i = 0; i < parties; ++i) {
        const book& b = m_shared->books[i];
        if (v.count[i] < b.acknowledged.load() || v.count[i] > b.attempted.load())
          complain(finding::mistaken, "what was acknowledged is not what is there");
        sum += v.count[i];
      }
    });
    if (sum == 0) complain(finding::stuck, "nothing was ever changed");
  }

  mortise::test::shared_with_children<area> m_shared;
};

inline void say(const char* what, const hammering_result& r, const hammering_plan& plan) {
  std::printf("%s: %llu kills, %llu of them inside, %llu told; %llu changes; seed %u\n", what,
              static_cast<unsigned long long>(r.kills), static_cast<unsigned long long>(r.kills_inside),
              static_cast<unsigned long long>(r.told), static_cast<unsigned long long>(r.changes), plan.seed);
}

}  // namespace crash
