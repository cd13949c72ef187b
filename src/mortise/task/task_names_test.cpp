#include <mortise/task/task_names.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <mortise/task/runtime.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task_scope.hpp>
#include <mortise/task/this_task.hpp>
#include <mortise/task/worker.hpp>

namespace {

using mortise::task_detail::task_block;
using testing::MatchesRegex;

task_block& this_block() { return *mortise::task_detail::worker::current()->running(); }
std::string described(const task_block& t) { return mortise::task_detail::describe(t, t.kind).chars; }

TEST(task_names, task_is_described_by_its_number_and_the_name_it_gave_itself) {
  mortise::runtime rt{{.workers = 2}};
  mortise::task_scope tasks{rt};
  tasks.go([] {
    EXPECT_THAT(described(this_block()), MatchesRegex("fiber [0-9]+"));
    mortise::this_task::name("loader");
    EXPECT_THAT(described(this_block()), MatchesRegex("fiber [0-9]+ 'loader'"));
    mortise::yield();
    mortise::this_task::name("saver");
    EXPECT_THAT(described(this_block()), MatchesRegex("fiber [0-9]+ 'saver'"));
    mortise::this_task::name("");
    EXPECT_THAT(described(this_block()), MatchesRegex("fiber [0-9]+"));
  });
  tasks.go([]() -> mortise::task<> {
    mortise::this_task::name("weaver");
    co_await mortise::async_yield();
    EXPECT_THAT(described(this_block()), MatchesRegex("coroutine [0-9]+ 'weaver'"));
  });
  tasks.join();
}

// The bug: a block is used again, and its new task goes by the name of the last one.
TEST(task_names, name_ends_with_its_task) {
  mortise::runtime rt{{.workers = 1}};
  const task_block* named = nullptr;
  for (bool again = false; !again;) {
    mortise::task_scope tasks{rt};
    tasks.go([&] {
      again = named == &this_block();
      if (again) EXPECT_THAT(described(this_block()), MatchesRegex("fiber [0-9]+"));
      named = &this_block();
      mortise::this_task::name("first");
    });
    tasks.join();
    EXPECT_THAT(described(*named), MatchesRegex("fiber [0-9]+"));
  }
}

TEST(task_names, long_ones_are_cut_and_stay_in_their_line) {
  mortise::task_scope tasks;
  tasks.go([] {
    mortise::this_task::name("two\nlines");
    EXPECT_THAT(described(this_block()), MatchesRegex("fiber [0-9]+ 'two\\?lines'"));
    mortise::this_task::name(std::string(100, 'x'));
    EXPECT_THAT(described(this_block()), MatchesRegex("fiber [0-9]+ '" + std::string(31, 'x') + "'"));
  });
  tasks.join();
  mortise::this_task::name("a plain thread");  // does nothing
}

}  // namespace
