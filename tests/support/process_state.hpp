#pragma once

#include <sys/types.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace mortise::test {

// State and parent of a process; ' ' and 0 if it is no more, which is no error even if it ends while it is looked at.
inline std::pair<char, pid_t> state_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto end = line.rfind(')');  // of a name that may have anything in it
  if (end == std::string::npos) return {' ', 0};
  char state = ' ';
  pid_t parent = 0;
  std::istringstream(line.substr(end + 1)) >> state >> parent;
  return {state, parent};
}

// Also one of whom nobody has asked yet how it ended.
inline bool has_ended(pid_t process) {
  const char state = state_of(process).first;
  return state == ' ' || state == 'Z';
}

}  // namespace mortise::test
