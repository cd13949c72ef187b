#pragma once

#include <sys/types.h>

#include <csignal>
#include <string>
#include <vector>

#include <app/cluster/guard.hpp>

namespace app::cluster {

// What the guard does, in its own process.
class guard_process {
 public:
  guard_process(guard::page& p, int line, pid_t parent, std::vector<std::string> command,
                mortise::nanos grace, const sigset_t& mask);
  void run();

 private:
  enum class state : unsigned char { waits, runs, clears };

  void start();
  [[noreturn]] void become_command(int error_line);
  void hear();          // the line
  void reap();          // whoever has ended or stopped
  void look_at_time();  // and do what is due; sets the timer
  void end(bool in_time);

  guard::page& m_page;
  const int m_line;
  const pid_t m_parent;
  std::vector<std::string> m_command;
  const mortise::nanos m_grace;
  const sigset_t m_mask;
  int m_terminal = -1;
  int m_children = -1, m_timer = -1;
  state m_state = state::waits;
  bool m_was_told_to_end = false;
  mortise::nanos m_clears_until = 0;  // what COMMAND has left has so long
  bool m_rest_was_told = false;
};

}  // namespace app::cluster
