// Both flavours in one source file, and in one queue. Boost's comes first among its own: see boost_execution.hpp.
#include <gtest/gtest.h>

#include <mortise/asio/boost.hpp>
#include <mortise/asio/standalone.hpp>

#include <asio.hpp>
#include <boost/asio.hpp>

#include <future>
#include <type_traits>
#include <vector>

#include <support/lock_probe.hpp>

namespace {

using namespace mortise;  // and yet `asio` is Asio

using hold = std::unique_lock<mutex>;

struct both : testing::Test {
  mutex m;
  asio::io_context one;
  boost::asio::io_context other;
};

// The bug: a token's flavour is guessed, and its handler gets the wrong error code or runs on the wrong system's executor.
TEST_F(both, a_token_says_whose_it_is) {
  int called = 0;
  async_lock(m, asio::bind_executor(one, [&](auto e, hold) {
               static_assert(std::is_same_v<decltype(e), std::error_code>);
               ++called;
             }));
  async_lock(m, boost::asio::bind_executor(other, [&](auto e, hold) {
               static_assert(std::is_same_v<decltype(e), boost::system::error_code>);
               ++called;
             }));
  one.run();
  EXPECT_EQ(called, 1);
  other.run();
  EXPECT_EQ(called, 2);
  async_lock(m, asio::use_future).get().unlock();
  async_lock(m, boost::asio::use_future).get().unlock();
}

// A handler of one's own, which names its executor.
template <class Context>
struct named {
  using executor_type = typename Context::executor_type;
  Context& where;
  bool& std_code;
  executor_type get_executor() const noexcept { return where.get_executor(); }
  template <class Error>
  void operator()(Error, hold) const {
    std_code = std::is_same_v<Error, std::error_code>;
  }
};

TEST_F(both, a_handler_is_of_its_executors_kind) {
  bool std_code = false;
  async_lock(m, named<asio::io_context>{one, std_code});
  one.run();
  EXPECT_TRUE(std_code);
  async_lock(m, named<boost::asio::io_context>{other, std_code});
  other.run();
  EXPECT_FALSE(std_code);
}

TEST_F(both, a_callback_that_says_nothing_goes_to_standalone_asio) {
  std::promise<bool> std_code;
  async_lock(m, [&](auto e, hold h) {
    h.unlock();
    std_code.set_value(std::is_same_v<decltype(e), std::error_code>);
  });
  EXPECT_TRUE(std_code.get_future().get());
  std::promise<void> called;
  async_lock(m, [&](boost::system::error_code, hold h) {
    h.unlock();
    called.set_value();
  });
  called.get_future().get();
}

TEST_F(both, they_wait_in_one_queue) {
  std::vector<int> served;
  m.lock();
  for (int i = 0; i < 6; ++i) {
    if (i % 2 == 0) {
      async_lock(m, asio::bind_executor(one, [&, i](std::error_code, hold) { served.push_back(i); }));
    } else {
      async_lock(m, boost::asio::bind_executor(
                        other, [&, i](boost::system::error_code, hold) { served.push_back(i); }));
    }
  }
  EXPECT_EQ(lock_probe::waiters(m), 6u);
  m.unlock();
  while (served.size() != 6) {
    one.poll_one();
    other.poll_one();
  }
  EXPECT_EQ(served, (std::vector{0, 1, 2, 3, 4, 5}));
}

}  // namespace
