// refuse WHAT[,WHAT...] COMMAND [ARG...]: runs COMMAND with these system calls refused, as an older kernel or a sandbox would.
//
//   membarrier  ENOSYS, as before Linux 4.3 or with CONFIG_MEMBARRIER off
//   rseq        ENOSYS, as before Linux 4.18; in a sandbox likewise
//   forbidden   membarrier and rseq with EPERM, as seccomp profiles of containers refuse them
//   new         what came with Linux 5.9 and later: futex_waitv and its kin, clone3, and madvise's guard pages (EINVAL)
//
// The filter is a seccomp program (Documentation/userspace-api/seccomp_filter.rst); it needs no privilege, since
// PR_SET_NO_NEW_PRIVS is set first. Exit code 77, and a line why, where seccomp itself is refused.

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

constexpr int skipped = 77;

#if defined(__x86_64__)
constexpr std::uint32_t machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t machine = AUDIT_ARCH_AARCH64;
#endif

// The same numbers on every architecture; older headers lack the names.
constexpr std::uint32_t clone3 = 435, futex_waitv = 449, futex_wake = 454, futex_wait = 455,
                        futex_requeue = 456;
constexpr std::uint32_t advice_guard_install = 102, advice_guard_remove = 103;

class filter {
 public:
  filter() {
    add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, machine, 1, 0);
    add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);  // a call of another architecture's table: none of ours
  }

  void refuse(std::uint32_t call, int error) {
    add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
    refusal(error);
  }

  void refuse_if(std::uint32_t call, unsigned argument, std::uint32_t value, int error) {
    add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3);
    // the lower half, on machines of our byte order
    add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offsetof(seccomp_data, args) + 8 * argument));
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    refusal(error);
  }

  bool install() {
    add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    sock_fprog program{static_cast<unsigned short>(m_code.size()), m_code.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
  }

 private:
  void add(unsigned code, std::uint32_t k, unsigned char if_true = 0, unsigned char if_false = 0) {
    m_code.push_back({static_cast<unsigned short>(code), if_true, if_false, k});
  }
  void refusal(int error) {
    add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (static_cast<std::uint32_t>(error) & SECCOMP_RET_DATA));
  }

  std::vector<sock_filter> m_code;
};

bool add(filter& f, std::string_view what) {
  if (what == "membarrier") {
    f.refuse(SYS_membarrier, ENOSYS);
  } else if (what == "rseq") {
    f.refuse(SYS_rseq, ENOSYS);
  } else if (what == "forbidden") {
    f.refuse(SYS_membarrier, EPERM);
    f.refuse(SYS_rseq, EPERM);
  } else if (what == "new") {
    for (const std::uint32_t call : {clone3, futex_waitv, futex_wake, futex_wait, futex_requeue}) {
      f.refuse(call, ENOSYS);
    }
    f.refuse_if(SYS_madvise, 2, advice_guard_install, EINVAL);
    f.refuse_if(SYS_madvise, 2, advice_guard_remove, EINVAL);
  } else {
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: refuse WHAT[,WHAT...] COMMAND [ARG...]\n", stderr);
    return 2;
  }
  filter f;
  for (std::string_view rest = argv[1]; !rest.empty();) {
    const std::string_view what = rest.substr(0, rest.find(','));
    rest.remove_prefix(what.size() < rest.size() ? what.size() + 1 : what.size());
    if (add(f, what)) continue;
    std::fprintf(stderr, "refuse: '%.*s' is none of membarrier, rseq, forbidden, new\n",
                 static_cast<int>(what.size()), what.data());
    return 2;
  }
  if (!f.install()) {
    std::fprintf(stderr, "refuse: skipped: no seccomp filter can be installed here (%s)\n",
                 std::strerror(errno));
    return skipped;
  }
  ::execvp(argv[2], argv + 2);
  std::fprintf(stderr, "refuse: cannot run %s: %s\n", argv[2], std::strerror(errno));
  return 1;
}
