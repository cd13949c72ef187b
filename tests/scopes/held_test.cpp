// The same task, with a lock that belongs to its OS thread and with one that belongs to the task.
#include <gtest/gtest.h>

#include <mutex>

#include <mortise/mortise.hpp>

#if MORTISE_IS_CHECKED && !defined(__SANITIZE_THREAD__)

namespace {

using namespace std::chrono_literals;

template <class Mutex>
void wait_in_every_way_with_a() {
  mortise::runtime rt{{.workers = 2}};
  mortise::task_scope tasks{rt};
  Mutex m;
  for (int i = 0; i < 4; ++i) {
    tasks.go([&] {
      const std::lock_guard hold{m};
      mortise::sleep_for(10us);
      mortise::yield();
      mortise::blocking([] {});
    });
  }
  tasks.join();
}

TEST(held, mortise_mutex_belongs_to_the_task_and_may_be_held_while_it_waits) {
  wait_in_every_way_with_a<mortise::mutex>();
}

TEST(held_death, std_mutex_belongs_to_the_thread_and_may_not) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(wait_in_every_way_with_a<std::mutex>(),
               "mortise: fiber [0-9]+ suspends while it holds the pthread lock at 0x");
}

}  // namespace

#endif
