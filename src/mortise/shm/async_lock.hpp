#pragma once

// How coroutines wait for a shm::mutex. Included by mutex.hpp.

#include <chrono>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/outcome.hpp>
#include <mortise/lock/call_site.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/shm/door.hpp>
#include <mortise/shm/local_side.hpp>
#include <mortise/shm/mutex.hpp>
#include <mortise/wait/executor.hpp>
#include <mortise/wait/limit.hpp>
#include <mortise/wait/waiting.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// Counted among the tasks of a process from the moment it waits until its section has taken this over, or its frame is destroyed.
class counted {
 public:
  explicit counted(const door::way& w) noexcept : m_way{w} {}
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() {
    if (m_counts && m_way.is_of_this_process()) m_way.where().depart();
  }

 protected:
  void arrive(local_side& side) {
    side.arrive();
    m_counts = true;
  }
  void counts_no_more() noexcept { m_counts = false; }

 private:
  door::way m_way;
  bool m_counts = false;
};

// A base of what the async_ functions return; awaited at once, by one coroutine. It is counted for longer than it waits.
template <class Limit>
class async_waiting : counted, public wait::async_wait<door::way, Limit> {
  using base = wait::async_wait<door::way, Limit>;

 public:
  async_waiting(mutex& m, wait::executor* where, call_site site) noexcept
      : counted{door::way{m.m_side->the_door()}},
        base{door::way{m.m_side->the_door()}, where},
        m_mutex{m},
        m_site{site} {}
  async_waiting(mutex& m, wait::executor* where, wait::bound until, call_site site) noexcept
      : counted{door::way{m.m_side->the_door()}},
        base{door::way{m.m_side->the_door()}, where, std::move(until)},
        m_mutex{m},
        m_site{site} {}

  bool await_ready() {
    arrive(*m_mutex.m_side);
    return base::await_ready();
  }

 protected:
  lock_result<std::unique_lock<mutex>> had() noexcept {
    const outcome ended = this->result();
    if (ended != outcome::acquired) return {ended, std::unique_lock{m_mutex, std::defer_lock}};
    this->lock_to_get().taken(m_site);
    counts_no_more();  // its unlock departs
    m_mutex.m_side->begin_as_task();
    return {m_mutex.m_side->how(), std::unique_lock{m_mutex, std::adopt_lock}};
  }

 private:
  mutex& m_mutex;
  [[no_unique_address]] call_site m_site;
};

class async_lock_operation : public async_waiting<wait::no_limit> {
 public:
  using async_waiting::async_waiting;
  [[nodiscard]] std::unique_lock<mutex> await_resume() noexcept { return had().hold; }
};

class async_bounded_lock_operation : public async_waiting<wait::time_limit> {
 public:
  using async_waiting::async_waiting;
  [[nodiscard]] std::unique_lock<mutex> await_resume() noexcept { return had().hold; }
};

class async_stoppable_lock_operation : public async_waiting<wait::limit> {
 public:
  using async_waiting::async_waiting;
  lock_result<std::unique_lock<mutex>> await_resume() noexcept { return had(); }
};

inline async_lock_operation mutex::async_lock(wait::executor* where, call_site site) noexcept {
  return {*this, where, site};
}
template <class Rep, class Period>
async_bounded_lock_operation mutex::async_lock_for(std::chrono::duration<Rep, Period> d,
                                                   wait::executor* where, call_site site) noexcept {
  return {*this, where, wait::bound::within(d), site};
}
template <class Clock, class Duration>
async_bounded_lock_operation mutex::async_lock_until(std::chrono::time_point<Clock, Duration> t,
                                                     wait::executor* where, call_site site) noexcept {
  return {*this, where, wait::bound{deadline_at(t)}, site};
}
inline async_stoppable_lock_operation mutex::async_lock_or_stop(std::stop_token stop, wait::executor* where,
                                                                call_site site) noexcept {
  return {*this, where, wait::bound{std::move(stop)}, site};
}
template <class Rep, class Period>
async_stoppable_lock_operation mutex::async_lock_or_stop(std::stop_token stop,
                                                         std::chrono::duration<Rep, Period> d,
                                                         wait::executor* where, call_site site) noexcept {
  return {*this, where, wait::bound::within(d, std::move(stop)), site};
}

}  // namespace mortise::inline MORTISE_ABI::shm
