#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include <mortise/base/process_once.hpp>
#include <support/forked.hpp>

// Children start threads.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }

namespace {

using mortise::process_once;
using mortise::test::await;
using mortise::test::child;

// The bug: it is done twice, or somebody goes on before it is done.
TEST(process_once, everybody_finds_it_done_once) {
  process_once made;
  int times = 0;
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < 8; ++i) {
      all.emplace_back([&] {
        made([&] {
          ::usleep(1000);
          ++times;
        });
        EXPECT_EQ(times, 1);
      });
    }
  }
  EXPECT_EQ(times, 1);
}

// The bug: nobody tries again.
TEST(process_once, who_throws_leaves_it_to_the_next) {
  process_once made;
  EXPECT_THROW(made([] { throw std::runtime_error{"not yet"}; }), std::runtime_error);
  bool done = false;
  made([&] { done = true; });
  EXPECT_TRUE(done);
  made([] { FAIL() << "it was done"; });
}

// The bug: the child waits for a thread of its parent, or its parent does it anew.
TEST(process_once, child_of_a_fork_amid_it_begins_again) {
  process_once made;
  mortise::test::shared_with_children<mortise::atomic<int>> step;
  std::jthread amid([&] {
    made([&] {
      *step = 1;
      await([&] { return *step == 2; });
    });
  });
  await([&] { return *step == 1; });
  child forked([&] {
    int times = 0;
    {
      std::vector<std::jthread> all;
      for (int i = 0; i < 4; ++i) all.emplace_back([&] { made([&] { ++times; }); });
    }
    return times == 1;
  });
  EXPECT_TRUE(forked.succeeded());
  *step = 2;
  made([] { ADD_FAILURE() << "the parent's thread has done it"; });
}

}  // namespace
