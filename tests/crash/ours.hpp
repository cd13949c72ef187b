#pragma once

#include <chrono>

#include <mortise/shm/guarded.hpp>

#include "subject.hpp"

namespace crash {

// shm::guarded as a subject.
template <class Value>
class ours {
 public:
  explicit ours(const Value& initial) : m_guarded{mortise::shm::place::anonymous(), initial} {}
  explicit ours(const mortise::shm::place& where) : m_guarded{where, Value{}} {}

  // The region of another one.
  mortise::shm::place where() const {
    return mortise::shm::place::descriptor(m_guarded.where().descriptor());
  }

  template <class F>
  void update(F f) {
    m_guarded.update(
        [&f](Value& v, const mortise::shm::tenure& t) { f(v, tenure_facts{t.token, t.owner_died}); });
  }
  template <class F>
  bool update_for(std::chrono::nanoseconds patience, F f) {
    return static_cast<bool>(m_guarded.try_update_for(
        patience,
        [&f](Value& v, const mortise::shm::tenure& t) { f(v, tenure_facts{t.token, t.owner_died}); }));
  }
  template <class F>
  void read(F f) {
    m_guarded.read([&f](const Value& v) { f(v); });
  }

  mortise::shm::guarded<Value>& guarded() noexcept { return m_guarded; }

 private:
  mortise::shm::guarded<Value> m_guarded;
};

}  // namespace crash
