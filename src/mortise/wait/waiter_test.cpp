#include <mortise/wait/waiter.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace {

using mortise::wait::waiter;

// Both ways round, and the head's `prev` is the tail.
void expect_order(const waiter* head, const std::vector<waiter*>& order) {
  ASSERT_EQ(head, order.empty() ? nullptr : order.front());
  for (std::size_t i = 0; i < order.size(); ++i) {
    ASSERT_EQ(order[i]->next, i + 1 == order.size() ? nullptr : order[i + 1]);
    ASSERT_EQ(order[i]->prev, i == 0 ? order.back() : order[i - 1]);
  }
}

// The bug: one who leaves from the middle or the end, as deadlines and destroyed frames do, takes others out of the queue
// with it, or the next to come is put behind one that is gone.
TEST(waiter, queue_keeps_its_order_whoever_leaves) {
  std::minstd_rand random(1);
  std::vector<waiter> all(12);
  std::vector<waiter*> order;
  waiter* head = nullptr;
  for (int i = 0; i < 5000; ++i) {
    waiter& w = all[random() % all.size()];
    if (const auto at = std::find(order.begin(), order.end(), &w); at != order.end()) {
      order.erase(at);
      head = mortise::wait::remove(head, w);
      ASSERT_FALSE(w.queued());
    } else {
      w.since = 1;
      order.push_back(&w);
      head = mortise::wait::push_back(head, w);
    }
    ASSERT_NO_FATAL_FAILURE(expect_order(head, order));
  }
}

}  // namespace
