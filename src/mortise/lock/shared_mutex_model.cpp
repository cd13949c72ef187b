// The shared mutex under every schedule, with its readers counted in its word and in slots. Each opens with the bug that it would show: what is
// inside at once and must not be is a race on plain data, by the orderings as they are written.
//
// A thread whose first operation this is takes the slow path, and a reader there asks for slots (one quarrel is enough in a model).
#include <mortise/lock/shared_mutex.hpp>

#include <chrono>
#include <mutex>
#include <shared_mutex>

#include <explore/readers_section.hpp>
#include <explore/verify.hpp>
#include <mortise/base/os_thread.hpp>

namespace {

using namespace std::chrono_literals;
using explore::require;
using explore::scoped_thread;
using mortise::shared_mutex;

using explore::by_the_fast_path;
using explore::let_pass;
using explore::must_be_free;
using section = explore::readers_section;

// A reader beside a writer; a wake that is lost.
EXPLORE(shared_mutex, a_reader_and_a_writer, {.preemptions = 3, .deviations = 2}) {
  section s;
  scoped_thread reader{"reader", [&] {
                         by_the_fast_path();
                         s.lock_and_look();
                       }};
  by_the_fast_path();
  s.lock_and_write();
  reader.join();
  must_be_free(s);
}
EXPLORE(shared_mutex, two_writers, {.preemptions = 3, .deviations = 2}) {
  section s;
  scoped_thread other{"other", [&] { s.lock_and_write(); }};
  s.lock_and_write();
  other.join();
  require(s.written == 2, "both came through");
  must_be_free(s);
}
EXPLORE(shared_mutex, two_readers_and_a_writer, {.deviations = 0}) {
  section s;
  const auto read = [&] {
    by_the_fast_path();
    s.lock_and_look();
  };
  scoped_thread a{"a", read};
  scoped_thread b{"b", read};
  s.lock_and_write();
  a.join();
  b.join();
  must_be_free(s);
}
EXPLORE(shared_mutex, a_reader_and_two_writers) {
  section s;
  scoped_thread a{"a", [&] { s.lock_and_write(); }};
  scoped_thread b{"b", [&] { s.lock_and_write(); }};
  by_the_fast_path();
  s.lock_and_look();
  a.join();
  b.join();
  require(s.written == 2, "both came through");
  must_be_free(s);
}

// Slots: a writer that does not see a reader, a reader that does not see a writer (Dekker, with the sum of several slots).
EXPLORE(shared_mutex, a_reader_and_a_writer_with_slots, {.preemptions = 3, .deviations = 2}) {
  section s;
  s.with_slots();
  scoped_thread reader{"reader", [&] { s.lock_and_look(); }};
  s.lock_and_write();
  reader.join();
  must_be_free(s);
}
EXPLORE(shared_mutex, two_readers_and_a_writer_with_slots, {.deviations = 1}) {
  section s;
  s.with_slots();
  scoped_thread a{"a", [&] { s.lock_and_look(); }};
  scoped_thread b{"b", [&] { s.lock_and_look(); }};
  s.lock_and_write();
  a.join();
  b.join();
  must_be_free(s);
}
EXPLORE(shared_mutex, a_reader_and_two_writers_with_slots, {.deviations = 1}) {
  section s;
  s.with_slots();
  scoped_thread a{"a", [&] { s.lock_and_write(); }};
  scoped_thread b{"b", [&] { s.lock_and_write(); }};
  s.lock_and_look();
  a.join();
  b.join();
  require(s.written == 2, "both came through");
  must_be_free(s);
}

// Slots come into use while a writer comes: it looks for readers where they are not.
EXPLORE(shared_mutex, slots_come_into_use, {.preemptions = 3, .deviations = 1}) {
  section s;
  scoped_thread writer{"writer", [&] { s.lock_and_write(); }};
  s.lock_and_look();
  s.lock_and_look();
  writer.join();
  must_be_free(s);
}

// Both are inside when the writer comes, and leave at once: each takes the other for the last one, and nobody wakes it.
EXPLORE(shared_mutex, the_last_of_two_readers_tells_the_writer, {.preemptions = 3}) {
  section s;
  by_the_fast_path();
  s.m.lock_shared();
  s.m.lock_shared();
  scoped_thread writer{"writer", [&] { s.lock_and_write(); }};
  scoped_thread a{"a", [&] { s.m.unlock_shared(); }};
  s.m.unlock_shared();
  a.join();
  writer.join();
  require(s.written == 1, "it came through");
  must_be_free(s);
}
EXPLORE(shared_mutex, the_last_of_two_readers_tells_the_writer_with_slots) {
  section s;
  s.m.lock_shared();
  s.m.lock_shared();
  scoped_thread writer{"writer", [&] { s.lock_and_write(); }};
  scoped_thread a{"a", [&] { s.m.unlock_shared(); }};  // in another slot than that in which it came in
  s.m.unlock_shared();
  a.join();
  writer.join();
  require(s.written == 1, "it came through");
  must_be_free(s);
}

// A reader that was counted in the word leaves when there are slots.
EXPLORE(shared_mutex, a_reader_leaves_a_lock_that_was_given_slots_meanwhile) {
  section s;
  by_the_fast_path();
  s.m.lock_shared();
  scoped_thread writer{"writer", [&] { s.lock_and_write(); }};
  scoped_thread reader{"reader", [&] { s.lock_and_look(); }};
  s.look();
  s.m.unlock_shared();
  reader.join();
  writer.join();
  must_be_free(s);
}

// A waiter that comes early (a deadline, a permit that was left over) sees a lock that a writer has just freed, and not what it wrote.
EXPLORE(shared_mutex, a_reader_that_wakes_early_sees_what_was_written, {.preemptions = 2, .deviations = 2}) {
  section s;
  s.with_slots();
  s.m.lock();
  bool got = false;
  scoped_thread reader{"reader", [&] {
                         got = s.m.try_lock_shared_for(2ms);
                         if (!got) return;
                         require(s.written == 1, "what was written is seen");
                         s.m.unlock_shared();
                       }};
  s.write();
  s.m.unlock();
  reader.join();
  must_be_free(s);
}

// A writer that times out as it is told takes the wake with it, and readers behind it stay out.
void a_writer_that_leaves(section& s) {
  bool got = false;
  s.m.lock_shared();
  scoped_thread timed{"timed", [&] {
                        got = s.m.try_lock_for(2ms);
                        if (!got) return;
                        s.write();
                        s.m.unlock();
                      }};
  let_pass(10'000);
  scoped_thread behind{"behind", [&] { s.lock_and_look(); }};
  s.look();
  s.m.unlock_shared();
  timed.join();
  behind.join();
  require(s.written == got, "who got it was inside");
  must_be_free(s);
}
EXPLORE(shared_mutex, timed_out_writer_passes_its_wake_on) {
  section s;
  by_the_fast_path();
  a_writer_that_leaves(s);
}
EXPLORE(shared_mutex, timed_out_writer_passes_its_wake_on_with_slots) {
  section s;
  s.with_slots();
  a_writer_that_leaves(s);
}

// A reader that times out as it is told: the writer behind it sleeps for ever.
EXPLORE(shared_mutex, timed_out_reader_passes_its_wake_on) {
  section s;
  bool got = false;
  s.m.lock();
  scoped_thread timed{"timed", [&] {
                        got = s.m.try_lock_shared_for(2ms);
                        if (!got) return;
                        s.look();
                        s.m.unlock_shared();
                      }};
  let_pass(10'000);
  scoped_thread behind{"behind", [&] { s.lock_and_write(); }};
  s.write();
  s.m.unlock();
  timed.join();
  behind.join();
  require(s.written == 2, "it came through");
  must_be_free(s);
}

// The reader in front of a writer leaves the queue as another one leaves its slot: that one sees no writer to tell, and is still counted.
EXPLORE(shared_mutex, a_reader_leaves_as_a_writer_gets_to_the_front_with_slots,
        {.preemptions = 1, .deviations = 2, .weak = false}) {
  section s;
  s.with_slots();
  s.m.lock();
  scoped_thread timed{"timed", [&] {
                        if (!s.m.try_lock_shared_for(2ms)) return;
                        s.look();
                        s.m.unlock_shared();
                      }};
  let_pass(10'000);
  scoped_thread writer{"writer", [&] { s.lock_and_write(); }};
  let_pass(10'000);
  s.m.unlock();
  s.lock_and_look();
  timed.join();
  writer.join();
  require(s.written == 1, "it came through");
  must_be_free(s);
}

// A writer becomes a reader: another writer comes in between, readers that wait are not told, or it is lost.
void a_downgrade(section& s) {
  s.m.lock();
  scoped_thread reader{"reader", [&] { s.lock_and_look(); }};
  scoped_thread writer{"writer", [&] { s.lock_and_write(); }};
  s.write();
  const int before = s.written;
  s.m.unlock_and_lock_shared();
  require(s.written == before, "no writer in between");
  s.m.unlock_shared();
  reader.join();
  writer.join();
  require(s.written == 2, "both came through");
  must_be_free(s);
}
EXPLORE(shared_mutex, a_downgrade_lets_no_writer_in) {
  section s;
  by_the_fast_path();
  a_downgrade(s);
}
EXPLORE(shared_mutex, a_downgrade_lets_no_writer_in_with_slots) {
  section s;
  s.with_slots();
  a_downgrade(s);
}
// The downgraded one stays inside: a reader that waited comes in beside it.
EXPLORE(shared_mutex, a_downgrade_lets_readers_in, {.preemptions = 3}) {
  section s;
  s.m.lock();
  scoped_thread reader{"reader", [&] { s.lock_and_look(); }};
  s.write();
  s.m.unlock_and_lock_shared();
  reader.join();  // hangs if it is not told
  s.m.unlock_shared();
  must_be_free(s);
}

// Misuse that every build names.
EXPLORE_FAULT(shared_mutex, an_unlock_too_many_is_named,
              "unlock of the shared_mutex at .*, which nobody has locked") {
  shared_mutex m;
  scoped_thread a{"a", [&] {
                    m.lock_shared();
                    m.unlock();
                  }};
  a.join();
}

}  // namespace
