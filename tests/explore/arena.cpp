#include <explore/arena.hpp>

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include <explore/clock.hpp>
#include <explore/engine.hpp>

namespace explore::arena {
namespace {

constexpr std::size_t room = std::size_t{256} << 20;  // of address space, for each thread
constexpr std::size_t header = 16;
char* base = nullptr;
std::size_t used[most_threads];

}  // namespace

void* allocate(unsigned thread, std::size_t size, std::size_t alignment) {
  if (base == nullptr) {
    void* const p = ::mmap(nullptr, room * most_threads, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) std::abort();
    base = static_cast<char*>(p);
  }
  if (alignment < 16) alignment = 16;
  const std::size_t at = (used[thread] + header + alignment - 1) / alignment * alignment;
  if (at + size > room) throw std::bad_alloc{};
  used[thread] = at + size;
  char* const block = base + thread * room + at;
  std::memcpy(block - header, &size, sizeof size);
  if (size <= 4096) std::memset(block, 0xcd, size);  // nobody may count on zeros
  return block;
}

bool contains(const void* p) noexcept {
  return base != nullptr && static_cast<const char*>(p) >= base &&
         static_cast<const char*>(p) < base + room * most_threads;
}

std::size_t size_of(const void* p) noexcept {
  std::size_t size;
  std::memcpy(&size, static_cast<const char*>(p) - header, sizeof size);
  return size;
}

void forget_all() noexcept {
  for (std::size_t& n : used) n = 0;
}

}  // namespace explore::arena

// The scenario's allocations, and those of the code it runs, come from the arena; the explorer's own and the test framework's from
// the heap.
namespace {

void* take(std::size_t size, std::size_t alignment) {
  if (const int thread = explore::thread_that_allocates(); thread >= 0) {
    return explore::arena::allocate(static_cast<unsigned>(thread), size, alignment);
  }
  void* const p = alignment <= 16
                      ? std::malloc(size)
                      : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (p == nullptr) throw std::bad_alloc{};
  return p;
}

void give(void* p) noexcept {
  if (p == nullptr) return;
  if (explore::arena::contains(p)) {
    explore::freed(p, explore::arena::size_of(p));
  } else {
    std::free(p);
  }
}

}  // namespace

void* operator new(std::size_t n) { return take(n, 16); }
void* operator new[](std::size_t n) { return take(n, 16); }
void* operator new(std::size_t n, std::align_val_t a) { return take(n, static_cast<std::size_t>(a)); }
void* operator new[](std::size_t n, std::align_val_t a) { return take(n, static_cast<std::size_t>(a)); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return take(n, 16); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return take(n, 16); }
void operator delete(void* p) noexcept { give(p); }
void operator delete[](void* p) noexcept { give(p); }
void operator delete(void* p, std::size_t) noexcept { give(p); }
void operator delete[](void* p, std::size_t) noexcept { give(p); }
void operator delete(void* p, std::align_val_t) noexcept { give(p); }
void operator delete[](void* p, std::align_val_t) noexcept { give(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { give(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { give(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { give(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { give(p); }
