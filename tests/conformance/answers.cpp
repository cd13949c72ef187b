// What the system answers to the calls that `refuse` refuses: a name and an errno each, 0 where it works. They change nothing.

#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include <mortise/base/membarrier.hpp>

namespace {

template <class Call>
int error_of(Call call) {
  errno = 0;
  return call() < 0 ? errno : 0;
}

}  // namespace

int main() {
  constexpr int query = 0, guard_install = 102, waitv = 449, clone3 = 435;
  void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  std::printf("membarrier %d\n", error_of([] { return ::syscall(SYS_membarrier, query, 0, 0); }));
  std::printf("rseq %d\n", error_of([] { return ::syscall(SYS_rseq, nullptr, 0, 0, 0); }));
  std::printf("futex_waitv %d\n", error_of([] { return ::syscall(waitv, nullptr, 0, 0, nullptr, 0); }));
  std::printf("clone3 %d\n", error_of([] { return ::syscall(clone3, nullptr, 0); }));
  std::printf("guard pages %d\n", error_of([&] { return ::madvise(page, 4096, guard_install); }));
  std::printf("glibc's rseq %s\n", __rseq_size != 0 ? "registered" : "absent");
  std::printf("library's membarrier %s\n", mortise::membarrier_available() ? "registered" : "absent");
}
