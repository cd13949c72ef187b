#pragma once

// What a trace is made of: events, kept by the threads on which they happen.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::insight::trace {

enum class event_type : unsigned char { enters, leaves, waits, waits_no_more, wakes };

struct event {
  nanos at = 0;
  event_type type = event_type::enters;
  wait::party kind = wait::party::thread;
  unsigned worker = 0;                // enters
  const wait::parker* who = nullptr;  // never freed; not of waits_no_more
  std::uint64_t number = 0;           // of `who`, as reports call it
  const void* node = nullptr;         // waits, waits_no_more: the wait
  const void* lock = nullptr;         // waits
  const char* text = nullptr;         // a literal. waits: for what kind of lock; leaves: how
  const std::string* name = nullptr;  // leaves: the task's, if it has one
};

struct thread_events {
  int thread = 0;  // the kernel's number
  std::string name;
  std::vector<event> events;  // as they happened
};

struct recorded {
  nanos began = 0, ended = 0;
  std::uint64_t left_out = 0;
  std::vector<thread_events> threads;
};

void begin_log(std::size_t most_events);  // forgets what there was
void end_log() noexcept;
bool logs() noexcept;
// Nothing, if there is no log or it is full. `e.at` is looked up here. Does not throw: without memory the log is full.
void log(event e) noexcept;
// The same text at the same address, for as long as the process lives. Null: no memory, or too many already.
const std::string* keep(const char* text) noexcept;
recorded logged();

}  // namespace mortise::inline MORTISE_ABI::insight::trace
