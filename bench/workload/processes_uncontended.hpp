#pragma once

// Lock and unlock of a lock that processes share, and that nobody else wants.
//
//     processes_uncontended kind:K iterations:N      {"ns": a lock+unlock, "robust_ns": ..., "robust_ratio": ...}

#include <cstdint>
#include <stdexcept>

#include <bench/harness/keys.hpp>
#include <bench/harness/robust.hpp>
#include <bench/workload/processes_turns.hpp>

namespace bench {

// `Lock`: of harness/robust.hpp's form. A kind's own mutex is not used.
template <class Kind, template <class> class Lock>
void processes_uncontended(keys& given, json_line& line) {
  const std::int64_t iterations =
      given.number("iterations", 1'000'000, processes_turns_detail::slice, 10'000'000'000);
  given.no_others();

  Lock<std::uint64_t> lock;
  robust_lock<std::uint64_t> robust_one;
  typename Lock<std::uint64_t>::handle ours{lock};
  robust_lock<std::uint64_t>::handle robust{robust_one};
  const auto once = [](auto& handle) {
    handle.lock();
    ++handle.guarded();
    handle.unlock();
  };
  const std::uint64_t calls =
      take_turns_with_robust<Kind>(iterations, line, [&] { once(ours); }, [&] { once(robust); });
  if (ours.guarded() != calls || robust.guarded() != calls)
    throw std::runtime_error("the counter does not add up");
}

}  // namespace bench
