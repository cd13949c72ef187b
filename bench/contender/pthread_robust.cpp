// pthread's robust mutex that processes share, on threads: what the process scope is measured by.

#include <gnu/libc-version.h>

#include <string>

#include <bench/harness/contender.hpp>
#include <bench/harness/robust.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/processes_contended.hpp>
#include <bench/workload/processes_takeover.hpp>
#include <bench/workload/processes_uncontended.hpp>
#include <bench/workload/processes_value.hpp>

int main(int argc, char** argv) {
  using threads = bench::threads<void>;
  using value = bench::value_under<bench::robust_lock>;
  return bench::contender{MORTISE_BENCH_CONTENDER, std::string{"glibc "} + gnu_get_libc_version()}
      .offers({"processes_uncontended", "thread", bench::processes_uncontended<threads, bench::robust_lock>})
      .offers({"processes_update", "thread", bench::processes_update<threads, value>})
      .offers({"processes_read", "thread", bench::processes_read<threads, value>})
      .offers({"processes_contended", "thread", bench::processes_contended<threads, bench::robust_lock>})
      .offers({"processes_takeover", "thread", bench::processes_takeover<threads, bench::robust_lock>})
      .main(argc, argv);
}
