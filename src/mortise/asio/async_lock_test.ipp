// async_lock with one flavour of Asio, whose test includes this with `net` (its namespace), `code` (its error code) and what it has:
// HAS_CO_AWAIT, and `deferred` where HAS_DEFERRED.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <support/lock_probe.hpp>
#include <support/wait_ledger.hpp>

namespace {

using hold = std::unique_lock<mortise::mutex>;
using mortise::lock_probe;

struct async_lock : testing::Test {
  mortise::mutex m;
  net::io_context io;

  // A callback in `where` that keeps what it got.
  struct answer {
    std::optional<code> how;
    hold got;
    int times = 0;
  };
  auto ask(answer& a, net::io_context& where) {
    return net::bind_executor(where, [&a](code e, hold h) {
      a.how = e;
      a.got = std::move(h);
      ++a.times;
    });
  }
  void expect_free() {
    EXPECT_EQ(lock_probe::waiters(m), 0u);
    EXPECT_TRUE(m.try_lock());
    m.unlock();
  }
};

// ---- tokens

// The bug: the handler runs in the unlock, or in async_lock, or on a thread of nobody's choice.
TEST_F(async_lock, a_callback_runs_on_its_executor_only) {
  answer a;
  mortise::async_lock(m, ask(a, io));
  EXPECT_FALSE(a.how);
  io.poll();
  ASSERT_TRUE(a.how);
  EXPECT_TRUE(a.got.owns_lock());
  answer b;
  io.restart();
  mortise::async_lock(m, ask(b, io));
  io.poll();
  EXPECT_EQ(lock_probe::waiters(m), 1u);
  a.got.unlock();
  EXPECT_FALSE(b.how);
  io.poll();
  ASSERT_TRUE(b.how);
  EXPECT_FALSE(*b.how);
  EXPECT_TRUE(b.got.owns_lock());
  b.got.unlock();
  expect_free();
}

TEST_F(async_lock, a_callback_of_no_executor_runs_somewhere) {
  std::atomic<bool> called{false};
  mortise::async_lock(m, [&](code, hold h) {
    EXPECT_TRUE(h.owns_lock());
    h.unlock();
    called = true;
    called.notify_one();
  });
  called.wait(false);
}

TEST_F(async_lock, a_future_is_fulfilled) {
  m.lock();
  auto later = mortise::async_lock(m, net::use_future);
  lock_probe::wait_for_waiters(m, 1);
  m.unlock();
  later.get().unlock();
  expect_free();
}

#if HAS_DEFERRED
TEST_F(async_lock, deferred_begins_when_it_is_told) {
  auto operation = mortise::async_lock(m, deferred);
  m.lock();
  answer a;
  std::move(operation)(ask(a, io));
  EXPECT_EQ(lock_probe::waiters(m), 1u);
  m.unlock();
  io.poll();
  EXPECT_TRUE(a.got.owns_lock());
}
#endif

#if HAS_CO_AWAIT
TEST_F(async_lock, coroutines_await_it) {
  int shared = 0;  // guarded by m
  constexpr int coroutines = 20, rounds = 50;
  auto party = [&]() -> net::awaitable<void> {
    for (int i = 0; i < rounds; ++i) {
      const auto held = co_await mortise::async_lock(m, net::use_awaitable);
      ++shared;
    }
  };
  for (int i = 0; i < coroutines; ++i) net::co_spawn(io, party, net::detached);
  std::thread other([&] { io.run(); });
  for (int i = 0; i < rounds; ++i) {
    const std::lock_guard held{m};
    ++shared;
  }
  io.run();
  other.join();
  EXPECT_EQ(shared, (coroutines + 1) * rounds);
}
#endif

TEST_F(async_lock, a_pool_a_strand_and_threads_exclude_each_other) {
  int shared = 0;  // guarded by m
  constexpr int chains = 8, rounds = 200;
  net::thread_pool pool{2};
  auto strand = net::make_strand(pool);
  std::atomic<int> ended{0};
  std::function<void(bool, int)> next = [&](bool in_strand, int left) {
    auto then = [&, in_strand, left](code e, hold h) {
      EXPECT_FALSE(e);
      ++shared;
      h.unlock();
      if (left == 1) {
        ++ended;
      } else {
        next(in_strand, left - 1);
      }
    };
    if (in_strand) {
      mortise::async_lock(m, net::bind_executor(strand, then));
    } else {
      mortise::async_lock(m, net::bind_executor(pool, then));
    }
  };
  for (int i = 0; i < chains; ++i) next(i % 2 != 0, rounds);
  for (int i = 0; i < rounds; ++i) {
    const std::lock_guard held{m};
    ++shared;
  }
  pool.join();
  EXPECT_EQ(ended, chains);
  EXPECT_EQ(shared, (chains + 1) * rounds);
}

// ---- executor and allocator

TEST_F(async_lock,
       its_executor_has_work_while_it_waits) {  // the bug: run() returns, and the handler never runs
  m.lock();
  answer a;
  mortise::async_lock(m, ask(a, io));
  io.poll();
  EXPECT_FALSE(io.stopped());
  m.unlock();
  io.run();
  EXPECT_EQ(a.times, 1);
}

// Counts what is out.
struct books {
  std::size_t taken = 0, out = 0;
};
template <class T>
struct counting {
  using value_type = T;
  books* kept;
  explicit counting(books& b) : kept{&b} {}
  template <class U>
  counting(const counting<U>& o) : kept{o.kept} {}
  T* allocate(std::size_t n) {
    ++kept->taken;
    ++kept->out;
    return std::allocator<T>{}.allocate(n);
  }
  void deallocate(T* p, std::size_t n) {
    --kept->out;
    std::allocator<T>{}.deallocate(p, n);
  }
  friend bool operator==(const counting&, const counting&) = default;
};

// A handler that names its executor and its allocator by itself.
template <class F>
struct with_books {
  using executor_type = net::io_context::executor_type;
  using allocator_type = counting<char>;
  executor_type where;
  books* kept;
  F f;
  executor_type get_executor() const noexcept { return where; }
  allocator_type get_allocator() const noexcept { return allocator_type{*kept}; }
  void operator()(code e, hold h) { f(e, std::move(h)); }
};

// The bug: the general heap is used, or the memory is still out when the handler runs, which then cannot wait again in it.
TEST_F(async_lock, its_memory_comes_from_the_allocator_and_is_back_before_the_handler) {
  books kept;
  m.lock();
  int times = 0;
  auto f = [&](code, hold h) {
    EXPECT_TRUE(h.owns_lock());
    EXPECT_EQ(kept.out, 0u);
    ++times;
  };
  mortise::async_lock(m, with_books<decltype(f)>{io.get_executor(), &kept, f});
  EXPECT_EQ(kept.out, 1u);  // the wait; it is in no context's queue
  m.unlock();
  io.run();
  EXPECT_EQ(times, 1);
  EXPECT_GE(kept.taken, 2u);  // and its way through the queue
  EXPECT_EQ(kept.out, 0u);
}

// The bug: it takes the free lock as it sets out, and whoever comes meanwhile waits for a busy context.
TEST_F(async_lock, on_its_way_it_holds_nothing) {
  answer a;
  mortise::async_lock(m, ask(a, io));
  const bool got = m.try_lock();
  EXPECT_TRUE(got);
  io.poll();
  EXPECT_EQ(a.times, 0);
  if (got) m.unlock();
  io.poll();
  EXPECT_EQ(a.times, 1);
}

TEST_F(async_lock, what_a_handler_throws_comes_out_of_run) {  // the bug: it ends the program
  mortise::async_lock(m, net::bind_executor(io, [](code, hold) { throw 7; }));
  EXPECT_THROW(io.run(), int);
  expect_free();
}

// ---- other locks

TEST_F(async_lock, readers_share_and_writers_do_not) {
  mortise::shared_mutex s;
  int readers = 0, writers = 0;
  std::vector<std::shared_lock<mortise::shared_mutex>> reading;
  for (int i = 0; i < 2; ++i) {
    mortise::async_lock_shared(s,
                               net::bind_executor(io, [&](code, std::shared_lock<mortise::shared_mutex> h) {
                                 reading.push_back(std::move(h));
                                 ++readers;
                               }));
  }
  io.poll();
  EXPECT_EQ(readers, 2);
  io.restart();
  mortise::async_lock(s, net::bind_executor(io, [&](code, std::unique_lock<mortise::shared_mutex> h) {
                        EXPECT_TRUE(h.owns_lock());
                        ++writers;
                      }));
  io.poll();
  EXPECT_EQ(writers, 0);
  reading.clear();
  io.run();
  EXPECT_EQ(writers, 1);
}

TEST_F(async_lock, permits_of_a_semaphore_are_taken) {
  mortise::counting_semaphore<> permits{1};
  int had = 0;
  for (int i = 0; i < 2; ++i) mortise::async_acquire(permits, net::bind_executor(io, [&](code) { ++had; }));
  io.poll();
  EXPECT_EQ(had, 1);
  permits.release();
  io.run();
  EXPECT_EQ(had, 2);
  EXPECT_FALSE(permits.try_acquire());
}

TEST_F(async_lock, the_value_of_a_guarded_is_reached) {
  mortise::guarded<int> value{3};
  using guard = mortise::guarded<int>::guard;
  mortise::async_lock(value, net::bind_executor(io, [](code, guard g) { *g = 7; }));
  io.run();
  EXPECT_EQ(value.read([](int n) { return n; }), 7);
}

}  // namespace
