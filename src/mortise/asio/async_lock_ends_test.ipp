// How a wait ends that does not end with the lock: with its context, or cancelled. Included after async_lock_test.ipp, with HAS_SLOTS where
// there are cancellation slots.

namespace {

// ---- the context ends

// The bug: its waiter stays queued and is called into a context that is gone, or its handler is never destroyed.
TEST_F(async_lock, a_context_that_ends_takes_its_waiters_out_of_the_queue) {
  auto alive = std::make_shared<int>();
  m.lock();
  answer behind;
  {
    net::io_context brief;
    mortise::async_lock(m, net::bind_executor(brief, [alive](code, hold) { ADD_FAILURE(); }));
    mortise::async_lock(m, ask(behind, io));
    mortise::async_lock(m, net::bind_executor(brief, [alive](code, hold) { ADD_FAILURE(); }));
    EXPECT_EQ(lock_probe::waiters(m), 3u);
    EXPECT_EQ(alive.use_count(), 3);
  }
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_EQ(lock_probe::waiters(m), 1u);
  m.unlock();
  io.poll();
  EXPECT_TRUE(behind.got.owns_lock());
}

// The bug: the offer goes with the job, and the one behind it waits until it is told although it is not its turn.
TEST_F(async_lock, a_context_that_ends_passes_on_what_was_offered) {
  m.lock();
  std::optional<net::io_context> brief{std::in_place};
  mortise::async_lock(m, net::bind_executor(*brief, [](code, hold) { ADD_FAILURE(); }));
  std::thread behind([&] { const std::lock_guard held{m}; });
  lock_probe::wait_for_waiters(m, 2);
  m.unlock();  // tells the first, whose job is in the context's queue now
  brief.reset();
  behind.join();
  expect_free();  // and is not only passed by, as overdue
}

// The bug: a handler that is destroyed with the context unlocks, and wakes another one of the same context.
TEST_F(async_lock, handlers_that_end_with_the_context_may_hold_locks) {
  mortise::mutex other;
  {
    net::io_context brief;
    auto held = std::make_shared<std::unique_lock<mortise::mutex>>(other);
    m.lock();
    mortise::async_lock(other, net::bind_executor(brief, [](code, hold) { ADD_FAILURE(); }));
    mortise::async_lock(m, net::bind_executor(brief, [held](code, hold) { ADD_FAILURE(); }));
    mortise::async_lock(other, net::bind_executor(brief, [](code, hold) { ADD_FAILURE(); }));
    held.reset();
    EXPECT_EQ(lock_probe::waiters(other), 2u);
  }
  m.unlock();
  expect_free();
  EXPECT_EQ(lock_probe::waiters(other), 0u);
  EXPECT_TRUE(other.try_lock());
  other.unlock();
}

// The bug: who waits for a handler is in no dump, or is there for ever.
TEST_F(async_lock, a_wait_is_told_of_once_however_it_ends) {
  const auto& told = mortise::test::wait_ledger::begin();
  m.lock();
  answer first;
  mortise::async_lock(m, ask(first, io));
  EXPECT_TRUE(told.waits_for("mutex"));
  {
    net::io_context brief;
    mortise::async_lock(m, net::bind_executor(brief, [](code, hold) { ADD_FAILURE(); }));
    EXPECT_EQ(told.waiting().size(), 2u);
  }
  EXPECT_EQ(told.waiting().size(), 1u);
  m.unlock();
  io.poll();
  EXPECT_EQ(told.waiting().size(), 0u);
  // One that finds the lock free, and taken when its handler's turn comes, waits only then.
  first.got.unlock();
  io.restart();
  answer second;
  mortise::async_lock(m, ask(second, io));
  m.lock();
  EXPECT_EQ(told.waiting().size(), 0u);
  io.poll();
  EXPECT_TRUE(told.waits_for("mutex"));
  m.unlock();
  io.poll();
  EXPECT_TRUE(second.got.owns_lock());
  EXPECT_EQ(told.waiting().size(), 0u);
  EXPECT_EQ(told.begun(), 3);
  EXPECT_EQ(told.wrong(), 0);
}

#if HAS_CO_AWAIT
TEST_F(async_lock, frames_that_end_with_the_context_leave_and_unlock) {
  mortise::mutex other;
  m.lock();
  {
    net::io_context brief;
    auto party = [&]() -> net::awaitable<void> {
      const auto first = co_await mortise::async_lock(other, net::use_awaitable);
      const auto second = co_await mortise::async_lock(m, net::use_awaitable);
      ADD_FAILURE();
    };
    for (int i = 0; i < 3; ++i) net::co_spawn(brief, party, net::detached);
    brief.poll();
    EXPECT_EQ(lock_probe::waiters(m), 1u);
    EXPECT_EQ(lock_probe::waiters(other), 2u);
  }
  EXPECT_EQ(lock_probe::waiters(other), 0u);
  EXPECT_TRUE(other.try_lock());
  other.unlock();
  m.unlock();
  expect_free();
}
#endif

// The bug: another thread's unlock is just waking a handler when its context ends, and posts to what is no more. The sanitizers see it.
TEST_F(async_lock, contexts_end_while_others_unlock) {
  std::atomic<bool> over{false};
  std::thread other([&] {
    while (!over) {
      const std::lock_guard held{m};
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < 300; ++i) {
    net::io_context brief;
    for (int n = 0; n < 3; ++n) mortise::async_lock(m, net::bind_executor(brief, [](code, hold) {}));
    if (i % 3 != 0) brief.poll();
  }
  over = true;
  other.join();
  expect_free();
}

// ---- cancellation

#if HAS_SLOTS
template <class F>
auto cancellable(net::io_context& io, net::cancellation_signal& s, F f) {
  return net::bind_cancellation_slot(s.slot(), net::bind_executor(io, std::move(f)));
}

TEST_F(async_lock, a_cancelled_wait_owns_nothing) {  // the bug: it stays queued, or comes without an error
  for (const auto type :
       {net::cancellation_type::terminal, net::cancellation_type::partial, net::cancellation_type::total}) {
    m.lock();
    net::cancellation_signal signal;
    answer a;
    mortise::async_lock(m, cancellable(io, signal, [&](code e, hold h) {
                          a.how = e;
                          a.got = std::move(h);
                        }));
    EXPECT_EQ(lock_probe::waiters(m), 1u);
    signal.emit(type);
    EXPECT_FALSE(a.how);  // not in the emitter
    io.restart();
    io.run();
    ASSERT_TRUE(a.how);
    EXPECT_EQ(*a.how, net::error::operation_aborted);
    EXPECT_FALSE(a.got.owns_lock());
    EXPECT_EQ(a.got.mutex(), &m);
    signal.emit(type);  // too late: nobody is there
    m.unlock();
    expect_free();
  }
}

// The bug: the handler of a wait that was cancelled late is called twice, or the lock it had got is lost.
TEST_F(async_lock, a_cancel_that_comes_with_the_lock_has_one_outcome) {
  int got = 0, aborted = 0;
  constexpr int rounds = 300;
  for (int i = 0; i < rounds; ++i) {
    m.lock();
    net::cancellation_signal signal;
    int called = 0;
    mortise::async_lock(m, cancellable(io, signal, [&](code e, hold h) {
                          ++called;
                          EXPECT_EQ(h.owns_lock(), !e);
                          ++(e ? aborted : got);
                        }));
    std::thread canceller([&] { signal.emit(net::cancellation_type::terminal); });
    std::thread runner([&] {
      io.restart();
      io.run();
    });
    m.unlock();
    canceller.join();
    runner.join();
    EXPECT_EQ(called, 1);
    expect_free();
  }
  EXPECT_EQ(got + aborted, rounds);
}

#if HAS_CO_AWAIT
TEST_F(async_lock, a_cancelled_coroutine_is_told_by_an_exception) {
  m.lock();
  net::cancellation_signal signal;
  bool told = false;
  auto party = [&]() -> net::awaitable<void> {
    try {
      const auto held = co_await mortise::async_lock(m, net::use_awaitable);
    } catch (const std::exception&) {
      told = true;
    }
  };
  net::co_spawn(io, party, net::bind_cancellation_slot(signal.slot(), net::detached));
  io.poll();
  signal.emit(net::cancellation_type::terminal);
  io.run();
  EXPECT_TRUE(told);
  m.unlock();
  expect_free();
}
#endif
#endif

}  // namespace
