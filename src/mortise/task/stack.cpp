#include <mortise/task/stack.hpp>

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <system_error>

#include <mortise/base/atomic.hpp>
#include <mortise/base/fatal.hpp>
#include <mortise/base/process_once.hpp>
#include <mortise/task/valgrind.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {

constexpr std::size_t chunk_size = std::size_t{64} << 20;
constexpr int madv_guard_install = 102;  // MADV_GUARD_INSTALL, absent from older headers
constexpr std::uint64_t canary = 0x6d6f72746973652e;

std::size_t page_size() noexcept { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

[[noreturn]] void out_of(const char* what, int error) {
  throw std::system_error(error, std::generic_category(), what);
}

// All chunks of the process, for the signal handler: slots are filled once and only emptied, never moved.
struct chunk_record {
  atomic<char*> begin{nullptr};
  atomic<std::size_t> stack_size{0};
};
constinit chunk_record chunks[1 << 14];

void remember(char* begin, std::size_t stack_size) noexcept {
  for (chunk_record& r : chunks) {
    char* expected = nullptr;
    if (r.begin.compare_exchange_strong(expected, begin, memory_order_relaxed)) {
      // release: a handler that sees the size sees the begin
      r.stack_size.store(stack_size, memory_order_release);
      return;
    }
  }  // beyond a terabyte of stacks an overflow is reported without its fiber
}

void forget(char* begin) noexcept {
  for (chunk_record& r : chunks) {
    if (r.begin.load(memory_order_relaxed) != begin) continue;  // slots are only emptied by their owner
    r.stack_size.store(0, memory_order_relaxed);
    r.begin.store(nullptr, memory_order_release);
    return;
  }
}

enum class guard_kind { none, madvise, mprotect };

// How many guards may still be made with mprotect, at two mappings each.
atomic<long>& mprotect_guards_left() noexcept {
  static constinit process_once counted;
  static constinit atomic<long> left{0};
  counted([] {
    long limit = 65'530;
    if (std::FILE* f = std::fopen("/proc/sys/vm/max_map_count", "re"); f != nullptr) {
      if (std::fscanf(f, "%ld", &limit) != 1) limit = 65'530;
      std::fclose(f);
    }
    left.store(limit / 8, memory_order_relaxed);  // `counted` publishes it
  });
  return left;
}

// Whether the page can be read. The kernel is asked, which says no where the program would get a signal: it is to write its zeros
// into a counter. (Not by a call whose arguments valgrind reads itself: it crashes.)
bool readable(const void* page) noexcept {
  const int counter = ::eventfd(0, EFD_CLOEXEC);
  if (counter < 0) return false;  // not to be known
  const bool read = ::write(counter, page, sizeof(std::uint64_t)) >= 0;
  ::close(counter);
  return read;
}

guard_kind install_guard(void* base) noexcept {
  enum : int { untried, works, does_not };
  static atomic<int> madvise{untried};  // relaxed: only saves a call that fails
  const int known = madvise.load(memory_order_relaxed);
  if (known != does_not) {
    if (::madvise(base, page_size(), madv_guard_install) == 0) {
      // To an emulator the advice may be a hint, taken with a yes and no effect (qemu-user is one).
      if (known == works || !readable(base)) {
        madvise.store(works, memory_order_relaxed);
        return guard_kind::madvise;
      }
      madvise.store(does_not, memory_order_relaxed);
    } else if (errno == EINVAL) {
      madvise.store(does_not, memory_order_relaxed);
    }
  }
  if (mprotect_guards_left().fetch_sub(1, memory_order_relaxed) > 0) {
    if (::mprotect(base, page_size(), PROT_NONE) == 0) return guard_kind::mprotect;
  }
  return guard_kind::none;
}

}  // namespace

stack_pool::stack_pool(std::size_t size) : m_size{rounded(size, page_size())} {
  if (m_size > chunk_size) out_of("mortise: a fiber stack of more than 64 MiB", EINVAL);
}

stack_pool::~stack_pool() {
  for (const unsigned id : m_told) tell_of_stacks_end(id);
  for (char* c : m_chunks) {
    forget(c);
    ::munmap(c, chunk_size);
  }
}

void stack_pool::map_more() {
  m_chunks.reserve(m_chunks.size() + 1);
  m_free.reserve((m_chunks.size() + 1) * (chunk_size / m_size));  // so that give_back never allocates
  if (MORTISE_KNOWS_VALGRIND) m_told.reserve(m_free.capacity());
  // Twice the size, so that an aligned chunk can be cut out of it.
  void* const raw =
      ::mmap(nullptr, 2 * chunk_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) out_of("mortise: no address space for fiber stacks", errno);
  char* const begin = static_cast<char*>(raw);
  char* const aligned = begin + (-reinterpret_cast<std::uintptr_t>(begin) & (chunk_size - 1));
  if (aligned != begin) ::munmap(begin, static_cast<std::size_t>(aligned - begin));
  char* const end = begin + 2 * chunk_size;
  if (aligned + chunk_size != end) {
    ::munmap(aligned + chunk_size, static_cast<std::size_t>(end - aligned) - chunk_size);
  }
  if (::mprotect(aligned, chunk_size, PROT_READ | PROT_WRITE) != 0) {
    const int error = errno;
    ::munmap(aligned, chunk_size);
    out_of("mortise: no memory for fiber stacks", error);
  }
  // One page of a small stack is all that most fibers touch; a huge page for it would undo lazy commitment.
  ::madvise(aligned, chunk_size, MADV_NOHUGEPAGE);
  m_chunks.push_back(aligned);
  remember(aligned, m_size);
  m_fresh = aligned;
  m_fresh_end = aligned + chunk_size;
}

stack_pool::stack stack_pool::take() {
  const std::lock_guard hold{m_guard};
  if (!m_free.empty()) {
    const stack s = m_free.back();
    m_free.pop_back();
    tell_of_reuse(s.base + page_size(), m_size - page_size());  // but not of the canary
    return s;
  }
  if (m_fresh == m_fresh_end) map_more();
  stack s{m_fresh, false};
  m_fresh += m_size;
  if (MORTISE_KNOWS_VALGRIND) m_told.push_back(tell_of_stack(s.base, s.base + m_size));
  if (install_guard(s.base) == guard_kind::none) {
    s.canary = true;
    *reinterpret_cast<std::uint64_t*>(s.base) = canary;
  }
  return s;
}

void stack_pool::give_back(stack s, unsigned long owner) noexcept {
  if (s.canary && *reinterpret_cast<std::uint64_t*>(s.base) != canary) {
    fatal("fiber %lu overflowed its stack of %zu KiB: give the runtime a larger stack_size", owner,
          m_size >> 10);
  }
  const std::lock_guard hold{m_guard};
  m_free.push_back(s);
}

stack_span guarded_stack_at(const void* address) noexcept {
  const auto* at = static_cast<const char*>(address);
  for (const chunk_record& r : chunks) {
    const std::size_t size = r.stack_size.load(memory_order_acquire);  // pairs with remember
    if (size == 0) continue;
    const char* begin = r.begin.load(memory_order_relaxed);
    if (at < begin || at >= begin + chunk_size) continue;
    const auto offset = static_cast<std::size_t>(at - begin) & (size - 1);
    if (offset >= page_size()) return {nullptr, 0};
    return {at - offset, size};
  }
  return {nullptr, 0};
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
