// How the shared mutex ends under every schedule: destroyed by its next holder, with waiters whose frames are destroyed or never run. Each opens
// with the bug that it would show.
#include <mortise/lock/shared_mutex.hpp>

#include <mutex>

#include <explore/readers_section.hpp>
#include <explore/verify.hpp>
#include <support/foreign.hpp>

namespace {

using explore::by_the_fast_path;
using explore::let_pass;
using explore::must_be_free;
using explore::require;
using explore::scoped_thread;
using section = explore::readers_section;

// An unlock that touches the lock after the next holder has destroyed it.
void the_next_writer_destroys_it(section* s) {
  s->m.lock_shared();
  scoped_thread writer{"writer", [s] {
                         s->m.lock();
                         s->write();
                         s->m.unlock();
                         delete s;
                       }};
  s->look();
  s->m.unlock_shared();
  writer.join();
}
EXPLORE(shared_mutex, the_writer_after_a_reader_destroys_it, {.preemptions = 3, .deviations = 2}) {
  by_the_fast_path();
  the_next_writer_destroys_it(new section);
}
EXPLORE(shared_mutex, the_writer_after_a_reader_destroys_it_with_slots, {.preemptions = 3, .deviations = 2}) {
  auto* const s = new section;
  s->with_slots();
  the_next_writer_destroys_it(s);
}
EXPLORE(shared_mutex, the_last_of_two_writers_destroys_it, {.preemptions = 3, .deviations = 2}) {
  auto* const s = new section;
  mortise::atomic<int> users{2};
  const auto use = [s, &users] {
    s->m.lock();
    s->write();
    // relaxed: under the lock
    const bool last = users.fetch_sub(1, std::memory_order_relaxed) == 1;
    s->m.unlock();
    if (last) delete s;
  };
  scoped_thread a{"a", use};
  use();
  a.join();
}
// Slots that were given back are another lock's: one who is late wakes its drainer, and does nothing else.
EXPLORE(shared_mutex, slots_pass_to_another_lock, {.preemptions = 2}) {
  auto* const first = new section;
  first->with_slots();
  first->m.lock_shared();
  scoped_thread writer{"writer", [first] {
                         first->m.lock();
                         first->m.unlock();
                         delete first;
                         section second;
                         second.with_slots();
                         second.m.lock_shared();
                         require(!second.m.try_lock(), "it counts its own readers");
                         second.m.unlock_shared();
                         must_be_free(second);
                       }};
  first->m.unlock_shared();
  writer.join();
}

foreign::coroutine write(section& s, foreign::manual_executor& where) {
  const auto hold = co_await s.m.async_lock(&where);
  s.write();
}

// The writer for which readers make way is a frame that is destroyed, or one that never runs: those behind stay out.
void a_dead_writer(section& s, bool destroyed) {
  foreign::manual_executor stopped;
  s.m.lock_shared();
  auto frame = write(s, stopped);
  scoped_thread behind{"behind", [&] { s.lock_and_look(); }};
  let_pass(10'000);
  s.m.unlock_shared();
  if (destroyed) frame.destroy();
  behind.join();
  frame.destroy();
  stopped.drop_all();
  must_be_free(s);
}
EXPLORE(shared_mutex, a_destroyed_writer_passes_its_wake_on) {
  section s;
  by_the_fast_path();
  a_dead_writer(s, true);
}
EXPLORE(shared_mutex, a_destroyed_writer_passes_its_wake_on_with_slots) {
  section s;
  s.with_slots();
  a_dead_writer(s, true);
}
EXPLORE(shared_mutex, a_writer_that_never_runs_hangs_nobody_with_slots, {.preemptions = 1}) {
  section s;
  s.with_slots();
  a_dead_writer(s, false);
}

}  // namespace
