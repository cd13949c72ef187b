// A file that refuses late writers: its first line is the highest token that has written it. Compare and write are one step under the
// file's own lock, and the new contents take the place of the old ones by a rename, so that a crash leaves one of the two.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mortise/base/token_gate.hpp>
#include <string>
#include <system_error>
#include <utility>

namespace {

class fenced_file {
 public:
  explicit fenced_file(std::filesystem::path where) : m_where{std::move(where)} {}

  // False: somebody with a higher token has written, and nothing was changed.
  bool write(mortise::token t, const std::string& text) const {
    const alone hold{m_where.string() + ".lock"};
    std::ifstream old{m_where};
    mortise::token seen = 0;
    old >> seen;
    mortise::token_gate gate{seen};
    return gate.admit(t, [&] { replace(std::to_string(t) + '\n' + text); });
  }

  std::string read() const {
    std::ifstream in{m_where};
    std::string token_line, text;
    std::getline(in, token_line);
    std::getline(in, text, '\0');
    return text;
  }

 private:
  // flock on a file beside it: the one that is renamed is another file each time.
  class alone {
   public:
    explicit alone(const std::string& path) : m_fd{::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)} {
      if (m_fd < 0 || ::flock(m_fd, LOCK_EX) != 0) throw std::system_error{errno, std::generic_category(), path};
    }
    alone(const alone&) = delete;
    alone& operator=(const alone&) = delete;
    ~alone() { ::close(m_fd); }

   private:
    int m_fd;
  };

  void replace(const std::string& contents) const {
    const std::string next = m_where.string() + ".next";
    const int fd = ::open(next.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) throw std::system_error{errno, std::generic_category(), next};
    const bool written = ::write(fd, contents.data(), contents.size()) == static_cast<ssize_t>(contents.size());
    const bool safe = written && ::fsync(fd) == 0;
    ::close(fd);
    if (!safe) throw std::runtime_error{"cannot write " + next};
    std::filesystem::rename(next, m_where);
  }

  std::filesystem::path m_where;
};

}  // namespace

int main() {
  std::string folder = (std::filesystem::temp_directory_path() / "token_gate_XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  const fenced_file file{std::filesystem::path{folder} / "report"};

  bool as_it_should = file.write(41, "by the first holder");
  as_it_should &= file.write(57, "by the second");
  as_it_should &= !file.write(41, "by the first, which was paused and believes that it still holds the lock");
  as_it_should &= file.write(57, "by the second, again");
  std::cout << file.read() << '\n';
  as_it_should &= file.read() == "by the second, again";
  std::filesystem::remove_all(folder);
  return as_it_should ? 0 : 1;
}
