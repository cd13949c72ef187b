#pragma once

// What is stepped through: a child changes the value once. Whenever it dies, its parent has the lock soon, sees the old value or
// the new one, is told of the death once if it came amid the change, and can change the value itself.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include <support/forked.hpp>

#include "finding.hpp"
#include "stepping.hpp"
#include "subject.hpp"
#include "value.hpp"

namespace crash {

struct seen_after_death {
  std::size_t old_value = 0, new_value = 0, told = 0;
};

template <class Subject, std::size_t Bytes>
class updates {
 public:
  // For a hang only: nobody waits so long for a lock that works.
  explicit updates(std::chrono::seconds patience = std::chrono::seconds{10}) : m_patience{patience} {
    prepare();
  }

  Subject& subject() noexcept { return m_subject; }
  const seen_after_death& seen() const noexcept { return m_seen; }

  // In the child. `amid` is called amid the change.
  void change(Subject& s) {
    change(s, [] {});
  }
  template <class Amid>
  void change(Subject& s, Amid amid) {
    s.update([&](sealed<Bytes>& v, tenure_facts t) {
      m_trace->token.store(t.token, std::memory_order_relaxed);
      m_trace->inside.store(1, std::memory_order_release);
      amid();
      v = m_fresh;
      m_trace->inside.store(2, std::memory_order_release);
    });
  }

  // In the parent: what the next holder finds. It may wait for the lock already when the child is killed.
  void take() {
    m_had = m_subject.update_for(m_patience, [this](sealed<Bytes>& v, tenure_facts t) {
      m_found = v;
      m_first = t;
      seal(v, m_fresh.word[0] + 1);
    });
  }

  verdict check(bool complete) {
    take();
    return judge(complete);
  }

  verdict judge(bool complete) {
    sealed<Bytes>& found = m_found;
    const tenure_facts first = m_first;
    tenure_facts second{};
    const auto next = sealed_with<Bytes>(m_fresh.word[0] + 1);
    if (!m_had) return {finding::stuck, "nobody has the lock any more"};
    const int inside = m_trace->inside.load(std::memory_order_acquire);
    if (found != m_old && found != m_fresh) return {finding::torn, torn(found)};
    const bool fresh = found == m_fresh;
    if (complete) {
      if (!fresh) return {finding::mistaken, "a change that was made is not there"};
      if (first.owner_died) return {finding::mistaken, "told of the death of one who had left"};
    } else {
      if (fresh && inside != 2) return {finding::mistaken, "changed before the change was complete"};
      if (inside == 1 && !first.owner_died) return {finding::mistaken, "not told of a death amid a change"};
      (fresh ? m_seen.new_value : m_seen.old_value) += 1;
      if (first.owner_died) m_seen.told += 1;
    }
    const auto look = [&](sealed<Bytes>& v, tenure_facts t) {
      found = v;
      second = t;
    };
    if (!m_subject.update_for(m_patience, look))
      return {finding::stuck, "one had the lock, and nobody after that"};
    if (found != next) return {finding::mistaken, "what the next holder wrote is not there"};
    if (second.owner_died) return {finding::mistaken, "told twice of one death"};
    if (first.token != 0) {
      const std::uint64_t dead = m_trace->token.load(std::memory_order_relaxed);
      const std::uint64_t before = inside != 0 ? dead : m_token;
      if (first.token <= before || second.token <= first.token || (inside != 0 && dead <= m_token))
        return {finding::mistaken, "a token is not higher than the one before"};
      m_token = second.token;
    }
    prepare(next.word[0]);
    return {};
  }

  stepping_result step(const stepping_plan& plan) {
    return step_through(
        [this](auto begin) {
          m_subject.update([](sealed<Bytes>&, tenure_facts) {});  // as one who has done so before
          begin();
          change(m_subject);
        },
        [this](bool complete) { return check(complete); }, plan);
  }

 private:
  struct trace {
    std::atomic<std::uint64_t> token;
    std::atomic<int> inside;  // 1: in the closure; 2: at its end
  };

  void prepare(std::uint64_t stamp = 1) {
    m_old = sealed_with<Bytes>(stamp);
    m_fresh = sealed_with<Bytes>(stamp + 1);
    m_trace->inside.store(0, std::memory_order_relaxed);
  }

  static std::string torn(const sealed<Bytes>& v) {
    std::size_t whole = 1;
    while (whole < Bytes / 8 && v.word[whole] == mixed(v.word[0] + whole)) ++whole;
    return "half of a change: word " + std::to_string(whole) + " is not of value " +
           std::to_string(v.word[0]);
  }

  std::chrono::seconds m_patience;
  Subject m_subject{sealed_with<Bytes>(1)};
  sealed<Bytes> m_old, m_fresh, m_found;
  tenure_facts m_first{};
  bool m_had = false;
  std::uint64_t m_token = 0;
  mortise::test::shared_with_children<trace> m_trace;
  seen_after_death m_seen;
};

}  // namespace crash
