// The waiting room of a context, asked by itself.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include <mortise/asio/waiting_room.hpp>
#include <mortise/wait/callback.hpp>

namespace {

namespace wait = mortise::wait;

struct visitor final : wait::visitor {
  explicit visitor(wait::waiting_room& r) : wait::visitor{&r} {
    step = [](wait::waiter& n, request what) noexcept {
      if (what == request::leave) ++static_cast<visitor&>(n).left;
      return true;
    };
    who = &wait::callback_parker([](void*) {}, this, *this, *this);
  }
  void send() noexcept override {
    ++sent;
    sending = true;
    // Until it is released, this is the thread that wakes it, on its way to the context.
    while (held_up) std::this_thread::yield();
  }
  void destroy() noexcept override { ++destroyed; }
  void arrive() { run_job(); }

  std::atomic<bool> sending{false}, held_up{false};
  int sent = 0, left = 0, destroyed = 0;
};

TEST(waiting_room, close_ends_who_waits_once) {
  wait::waiting_room room;
  visitor a{room}, b{room};
  for (visitor* v : {&a, &b}) {
    EXPECT_TRUE(room.enter(*v));
    v->who->has_suspended();
  }
  room.close();
  for (const visitor* v : {&a, &b}) {
    EXPECT_EQ(v->sent, 0);
    EXPECT_EQ(v->left, 1);
    EXPECT_EQ(v->destroyed, 1);
  }
  visitor late{room};
  EXPECT_FALSE(room.enter(late));
  late.who->abandon();
}

// The bug: the context is gone when somebody who was just waking a waiter posts to it.
TEST(waiting_room, close_waits_for_who_is_on_the_way_to_the_context) {
  wait::waiting_room room;
  visitor v{room};
  v.held_up = true;
  EXPECT_TRUE(room.enter(v));
  v.who->has_suspended();
  std::thread waker([&] { v.who->unpark(); });
  while (!v.sending) std::this_thread::yield();
  std::atomic<bool> closed{false};
  std::thread end([&] {
    room.close();
    closed = true;
  });
  std::this_thread::sleep_for(
      std::chrono::milliseconds(20));  // finds less where that is too short, never too much
  EXPECT_FALSE(closed);
  v.held_up = false;
  waker.join();
  end.join();
  EXPECT_TRUE(closed);
  EXPECT_EQ(v.destroyed, 0);  // the context has it
  v.arrive();
}

}  // namespace
