#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include <app/cluster/guard.hpp>
#include <app/cluster/terminal.hpp>

namespace app::cluster {

// Blocks all signals that can be taken one by one, in this thread and those that it starts. Returns what was blocked before.
sigset_t block_signals();

// What is sent to mortise while it waits for the lock and while COMMAND runs. A thread takes the signals: those that end a program end the wait
// for the lock, and what comes from the start of COMMAND on is passed on to it. When COMMAND is stopped as a job is, mortise stops too.
//
// Requires: block_signals() came before all threads.
class signals {
 public:
  signals(guard& g, const terminal& t);
  ~signals();
  signals(const signals&) = delete;
  signals& operator=(const signals&) = delete;

  std::stop_token wish() const { return m_wish.get_token(); }  // that the wait ends
  int first() const noexcept { return m_first; }               // the signal that wished it; 0: none

  // Before COMMAND is started: what comes from now on is for it.
  void keep();
  // It runs: it gets what was kept, and the signal that wished that the wait ended, if there was one.
  void pass_on();
  // Waits until the guard has ended, or for `d`. True: it has.
  bool wait_for_guard(std::chrono::nanoseconds d);

 private:
  void take();
  bool came(int signal);  // true: that was all
  void stop_too();

  guard& m_guard;
  const terminal& m_terminal;
  std::stop_source m_wish;
  std::atomic<int> m_first{0};
  std::mutex m_lock;
  enum class phase : unsigned char { waits, keeps, passes_on } m_phase = phase::waits;
  std::vector<int> m_kept;
  std::condition_variable m_changed;
  bool m_guard_has_ended = false;
  std::thread m_thread;
};

}  // namespace app::cluster
