// flock(2), on threads: each process has a description of the file of its own, and the kernel frees what one had that was
// killed. The file lies in memory, so that no disk is measured.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include <bench/harness/contender.hpp>
#include <bench/harness/shared_memory.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/processes_contended.hpp>
#include <bench/workload/processes_uncontended.hpp>

namespace {

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

template <class Guarded>
class file_lock {
 public:
  class handle {
   public:
    explicit handle(file_lock& l)
        : m_guarded{*l.m_guarded},
          m_file{checked(::open(("/proc/self/fd/" + std::to_string(l.m_file)).c_str(), O_RDWR | O_CLOEXEC),
                         "a file in memory")} {}
    ~handle() { ::close(m_file); }
    handle(const handle&) = delete;
    handle& operator=(const handle&) = delete;

    void lock() { checked(::flock(m_file, LOCK_EX), "flock"); }
    void unlock() { checked(::flock(m_file, LOCK_UN), "flock"); }
    Guarded& guarded() const { return m_guarded; }

   private:
    Guarded& m_guarded;
    int m_file;
  };

 private:
  bench::shared_memory<Guarded> m_guarded;
  int m_file = checked(::memfd_create("flock", MFD_CLOEXEC), "memfd_create");
};

std::string kernel() {
  utsname system{};
  return ::uname(&system) == 0 ? std::string{"Linux "} + system.release : "unknown";
}

}  // namespace

int main(int argc, char** argv) {
  using threads = bench::threads<void>;
  return bench::contender{MORTISE_BENCH_CONTENDER, kernel()}
      .offers({"processes_uncontended", "thread", bench::processes_uncontended<threads, file_lock>})
      .offers({"processes_contended", "thread", bench::processes_contended<threads, file_lock>})
      .main(argc, argv);
}
