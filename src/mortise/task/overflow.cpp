#include <mortise/task/overflow.hpp>

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

#include <mortise/base/process_once.hpp>
#include <mortise/task/signal_stack.hpp>
#include <mortise/task/stack.hpp>
#include <mortise/task/worker.hpp>

namespace mortise::inline MORTISE_ABI {
namespace {

struct sigaction before_segv;
struct sigaction before_bus;

// Only what is allowed in a signal handler: no formatting library, one write.
class line {
 public:
  line& operator<<(const char* s) noexcept {
    while (*s != '\0' && m_size < sizeof m_text) m_text[m_size++] = *s++;
    return *this;
  }
  line& operator<<(unsigned long n) noexcept {
    char digits[24];
    int i = 0;
    do {
      digits[i++] = static_cast<char>('0' + n % 10);
      n /= 10;
    } while (n != 0);
    while (i > 0 && m_size < sizeof m_text) m_text[m_size++] = digits[--i];
    return *this;
  }
  void write() const noexcept { [[maybe_unused]] auto n = ::write(STDERR_FILENO, m_text, m_size); }

 private:
  char m_text[256];
  std::size_t m_size = 0;
};

void chain(int signal, siginfo_t* info, void* machine) noexcept {
  const struct sigaction& before = signal == SIGSEGV ? before_segv : before_bus;
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signal, info, machine);
  } else if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN) {
    // The faulting instruction runs again and ends the program in the usual way, core dump included.
    struct sigaction usual{};
    usual.sa_handler = SIG_DFL;
    ::sigaction(signal, &usual, nullptr);
  } else {
    before.sa_handler(signal);
  }
}

void on_fault(int signal, siginfo_t* info, void* machine) {
  const task_detail::stack_span span = task_detail::guarded_stack_at(info->si_addr);
  if (span.base != nullptr) {
    const task_detail::worker* const w = task_detail::worker::current();
    const task_detail::task_block* const t = w != nullptr ? w->running() : nullptr;
    line l;
    l << "mortise: fiber " << (t != nullptr ? t->id() : 0UL) << " of runtime '"
      << (w != nullptr ? w->runtime_name() : "?") << "' overflowed its stack of " << (span.size >> 10)
      << " KiB: give the runtime a larger stack_size\n";
    l.write();
  }
  chain(signal, info, machine);
}

}  // namespace

void install_overflow_handler() noexcept {
  static constinit process_once once;
  once([] {
    struct sigaction ours{};
    ours.sa_sigaction = on_fault;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&ours.sa_mask);
    const auto take = [&ours](int signal, struct sigaction& before) {
      struct sigaction now{};
      // Ours already where a fork fell amid this, which begins again: it must not be chained to itself.
      if (::sigaction(signal, nullptr, &now) != 0 || now.sa_sigaction != on_fault)
        ::sigaction(signal, &ours, &before);
    };
    take(SIGSEGV, before_segv);
    take(SIGBUS, before_bus);
  });
}

}  // namespace mortise::inline MORTISE_ABI
