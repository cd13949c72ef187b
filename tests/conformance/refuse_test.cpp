// Does `refuse` refuse? Without this the cases that run under it could all be as if it were not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>

namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int skipped = 77;

struct outcome {
  int status;
  std::string text;
};

outcome run(const std::string& command) {
  std::FILE* const out = ::popen((command + " 2>&1").c_str(), "r");
  outcome o{-1, {}};
  if (out == nullptr) return o;
  std::array<char, 4096> part;
  for (std::size_t n; (n = std::fread(part.data(), 1, part.size(), out)) > 0;) o.text.append(part.data(), n);
  const int status = ::pclose(out);
  if (WIFEXITED(status)) o.status = WEXITSTATUS(status);
  return o;
}

const std::string ask = MORTISE_ANSWERS;
std::string refused(const std::string& what) { return MORTISE_REFUSE " " + what + " " + ask; }
std::string line(const char* call, int error) {
  return std::string(call) + " " + std::to_string(error) + "\n";
}

// What the machine can do is asked for first: a call that it does not have cannot be refused.
TEST(refuse, refuses_what_it_was_told_and_nothing_else) {
  const outcome plain = run(ask);
  ASSERT_EQ(plain.status, 0) << plain.text;
  const outcome some = run(refused("membarrier,rseq"));
  if (some.status == skipped) GTEST_SKIP() << some.text;
  EXPECT_THAT(some.text, AllOf(HasSubstr(line("membarrier", ENOSYS)), HasSubstr(line("rseq", ENOSYS)),
                               HasSubstr("glibc's rseq absent"), HasSubstr("library's membarrier absent")));
  for (const char* other : {"futex_waitv", "clone3", "guard pages"}) {
    const auto at = plain.text.find(other);
    const std::string as_before = plain.text.substr(at, plain.text.find('\n', at) - at + 1);
    EXPECT_THAT(some.text, HasSubstr(as_before));
  }
  EXPECT_THAT(run(refused("rseq")).text,
              AllOf(Not(HasSubstr(line("membarrier", ENOSYS))), HasSubstr(line("rseq", ENOSYS))));
}

TEST(refuse, refuses_as_a_sandbox_and_as_an_older_kernel) {
  const outcome sandbox = run(refused("forbidden"));
  if (sandbox.status == skipped) GTEST_SKIP() << sandbox.text;
  EXPECT_THAT(sandbox.text,
              AllOf(HasSubstr(line("membarrier", EPERM)), HasSubstr(line("rseq", EPERM)),
                    HasSubstr("glibc's rseq absent"), HasSubstr("library's membarrier absent")));
  EXPECT_THAT(run(refused("new")).text,
              AllOf(HasSubstr(line("futex_waitv", ENOSYS)), HasSubstr(line("clone3", ENOSYS)),
                    HasSubstr(line("guard pages", EINVAL)), Not(HasSubstr(line("membarrier", ENOSYS)))));
}

// As any user, too: no privilege is needed.
TEST(refuse, needs_no_privilege) {
  const outcome nobody =
      run("setpriv --reuid=65534 --regid=65534 --clear-groups " + refused("membarrier,rseq"));
  if (nobody.status != 0) GTEST_SKIP() << "cannot run as somebody else: " << nobody.text;
  EXPECT_THAT(nobody.text, HasSubstr(line("membarrier", ENOSYS)));
}

TEST(refuse, glibc_leaves_rseq_out_when_told) {
  EXPECT_THAT(run("GLIBC_TUNABLES=glibc.pthread.rseq=0 " + ask).text, HasSubstr("glibc's rseq absent"));
}

TEST(refuse, names_what_it_does_not_know) {
  const outcome o = run(refused("gravity"));
  EXPECT_EQ(o.status, 2);
  EXPECT_EQ(o.text, "refuse: 'gravity' is none of membarrier, rseq, forbidden, new\n");
}

}  // namespace
