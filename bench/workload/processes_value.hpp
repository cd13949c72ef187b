#pragma once

// 64 bytes that processes share: changed as a whole under a lock, or looked at, with nobody else there.
//
//     processes_update kind:K iterations:N      {"ns": an update, "robust_ns": ..., "robust_ratio": ...}
//     processes_read kind:K iterations:N        {"ns": a read, ...}
//
// An update adds one to each of eight numbers. Beside it stands pthread's robust mutex around a copy of the 64 bytes and,
// where they were changed, a copy back; it does not promise that a process killed in between leaves the old value.

#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include <bench/harness/keys.hpp>
#include <bench/harness/robust.hpp>
#include <bench/workload/processes_turns.hpp>

namespace bench {

using eight_numbers = std::array<std::uint64_t, 8>;

// A value under a lock that keeps others out and does no more.
template <template <class> class Lock>
class value_under {
 public:
  template <class F>
  void update(F f) {
    m_handle.lock();
    eight_numbers copy;
    std::memcpy(&copy, &m_handle.guarded(), sizeof copy);
    f(copy);
    std::memcpy(&m_handle.guarded(), &copy, sizeof copy);
    m_handle.unlock();
  }
  template <class F>
  auto read(F f) {
    m_handle.lock();
    eight_numbers copy;
    std::memcpy(&copy, &m_handle.guarded(), sizeof copy);
    m_handle.unlock();
    return f(copy);
  }

 private:
  Lock<eight_numbers> m_lock;
  typename Lock<eight_numbers>::handle m_handle{m_lock};
};

namespace processes_value_detail {

constexpr auto add_one = [](eight_numbers& n) {
  for (std::uint64_t& each : n) ++each;
};
constexpr auto sum_of = [](const eight_numbers& n) {
  std::uint64_t sum = 0;
  for (const std::uint64_t each : n) sum += each;
  return sum;
};

template <class Value>
void require_sum(Value& v, std::uint64_t expected) {
  if (v.read(sum_of) != 8 * expected) throw std::runtime_error("the value does not add up");
}

}  // namespace processes_value_detail

// `Value`: as value_under.
template <class Kind, class Value>
void processes_update(keys& given, json_line& line) {
  using namespace processes_value_detail;
  const std::int64_t iterations =
      given.number("iterations", 1'000'000, processes_turns_detail::slice, 10'000'000'000);
  given.no_others();
  Value ours;
  value_under<robust_lock> robust;
  const std::uint64_t calls = take_turns_with_robust<Kind>(
      iterations, line, [&] { ours.update(add_one); }, [&] { robust.update(add_one); });
  require_sum(ours, calls);
  require_sum(robust, calls);
}

template <class Kind, class Value>
void processes_read(keys& given, json_line& line) {
  using namespace processes_value_detail;
  const std::int64_t iterations =
      given.number("iterations", 1'000'000, processes_turns_detail::slice, 10'000'000'000);
  given.no_others();
  Value ours;
  value_under<robust_lock> robust;
  constexpr std::uint64_t written = 3;
  for (std::uint64_t i = 0; i < written; ++i) {
    ours.update(add_one);
    robust.update(add_one);
  }
  std::uint64_t sum = 0, robust_sum = 0;
  const std::uint64_t calls = take_turns_with_robust<Kind>(
      iterations, line, [&] { sum += ours.read(sum_of); }, [&] { robust_sum += robust.read(sum_of); });
  if (sum != 8 * written * calls || robust_sum != sum)
    throw std::runtime_error("what was read does not add up");
}

}  // namespace bench
