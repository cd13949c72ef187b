#pragma once

// Boost.Fiber's fibers as parties, on its own mutex: one OS thread with its round robin, several with its work stealing.

#include <boost/fiber/all.hpp>
#include <chrono>
#include <thread>
#include <vector>

namespace bench {

struct boost_fibers {
  using mutex = boost::fibers::mutex;
  static constexpr bool awaits = false;
  static constexpr bool is_thread = false;

  // A stack of 16 KiB, as small as parties here need: the default of 128 KiB costs address space, and from 65,530 on
  // mappings that the kernel does not give.
  static auto stack() { return boost::fibers::fixedsize_stack{16 * 1024}; }

  template <class Body, class Meanwhile>
  static void run(unsigned parties, unsigned workers, Body body, Meanwhile meanwhile) {
    boost::fibers::mutex guard;
    boost::fibers::condition_variable_any changed;
    unsigned left = parties;
    std::vector<std::thread> hosts;
    for (unsigned w = 0; w < workers; ++w) {
      hosts.emplace_back([&, w] {
        if (workers > 1)
          boost::fibers::use_scheduling_algorithm<boost::fibers::algo::work_stealing>(workers, true);
        for (unsigned i = 0; w == 0 && i < parties; ++i) {
          boost::fibers::fiber(boost::fibers::launch::post, std::allocator_arg, stack(), [&, i] {
            body(i);
            const std::unique_lock hold{guard};
            if (--left == 0) changed.notify_all();
          }).detach();
        }
        std::unique_lock hold{guard};
        changed.wait(hold, [&left] { return left == 0; });
      });
    }
    meanwhile();
    for (std::thread& t : hosts) t.join();
  }

  // With recycled stacks, as ours are. Their pool is for one thread, so it is for one worker.
  template <class Task>
  static void spawn_and_join(unsigned count, Task task) {
    static boost::fibers::pooled_fixedsize_stack pool{16 * 1024};
    std::vector<boost::fibers::fiber> all;
    all.reserve(count);
    for (unsigned i = 0; i < count; ++i) all.emplace_back(std::allocator_arg, pool, task);
    for (boost::fibers::fiber& f : all) f.join();
  }

  static void yield() { boost::this_fiber::yield(); }
  static void sleep_for(std::chrono::nanoseconds d) { boost::this_fiber::sleep_for(d); }
};

}  // namespace bench
