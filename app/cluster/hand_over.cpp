#include <app/cluster/hand_over.hpp>

#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace app::cluster {
namespace {

// The build tree has both side by side, an installation has this one in libexec/mortise beside the folder of mortise.
std::vector<std::string> places() {
  char self[PATH_MAX];
  const ssize_t n = ::readlink("/proc/self/exe", self, sizeof self);
  if (n <= 0) return {};
  std::string folder{self, static_cast<std::size_t>(n)};
  folder.resize(folder.rfind('/'));
  return {folder + "/mortise-cluster", folder + "/" MORTISE_LIBEXEC "/mortise-cluster"};
}

}  // namespace

void hand_over(std::vector<std::string> words) {
  words.insert(words.begin(), "mortise-cluster");
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  int error = ENOENT;
  for (const std::string& program : places()) {
    ::execv(program.c_str(), argv.data());
    if (errno != ENOENT) error = errno;
  }
  throw std::runtime_error(
      error == ENOENT
          ? "the cluster commands are not in this mortise: build it where libgrpc++-dev, libprotobuf-dev and protobuf-compiler are"
          : fmt::format("mortise-cluster cannot be run: {}", std::strerror(error)));
}

}  // namespace app::cluster
