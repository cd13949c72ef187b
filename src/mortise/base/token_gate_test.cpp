#include <mortise/base/token_gate.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

// The bug: a writer that was paused past its lease writes over its successor.
TEST(token_gate, a_late_writer_is_refused) {
  mortise::token_gate gate;
  EXPECT_TRUE(gate.admit(7));
  EXPECT_TRUE(gate.admit(7));  // a holder writes more than once
  EXPECT_TRUE(gate.admit(9));
  EXPECT_FALSE(gate.admit(7));
  EXPECT_FALSE(gate.admit(8, [] { FAIL() << "it was refused"; }));
  EXPECT_TRUE(gate.admit(9));
  EXPECT_EQ(gate.highest(), 9u);
}

// The bug: what was seen before a restart is forgotten.
TEST(token_gate, begins_where_it_ended) {
  mortise::token_gate gate{9};
  EXPECT_FALSE(gate.admit(8));
  EXPECT_TRUE(gate.admit(9));
}

// The bug: a write that fails leaves the door open for those before it.
TEST(token_gate, a_write_that_throws_has_been_seen) {
  mortise::token_gate gate;
  EXPECT_THROW(static_cast<void>(gate.admit(5, [] { throw std::runtime_error("disk"); })),
               std::runtime_error);
  EXPECT_FALSE(gate.admit(4));
  EXPECT_TRUE(gate.admit(5));
}

// The bug: two threads are admitted at once, and the lower token writes last.
TEST(token_gate, writes_come_in_the_order_of_their_tokens) {
  mortise::token_gate gate;
  std::vector<mortise::token> written;
  std::vector<std::thread> threads;
  for (mortise::token first = 1; first <= 4; ++first) {
    threads.emplace_back([&, first] {
      for (mortise::token t = first; t < 4000; t += 4)
        static_cast<void>(gate.admit(t, [&] { written.push_back(t); }));
    });
  }
  for (auto& t : threads) t.join();
  ASSERT_FALSE(written.empty());
  EXPECT_TRUE(std::is_sorted(written.begin(), written.end()));
}

}  // namespace
