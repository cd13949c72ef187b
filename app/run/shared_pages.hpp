#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <new>
#include <system_error>
#include <type_traits>

namespace app {

// Gives back pages that processes share, in this one.
struct unmap {
  std::size_t bytes = 0;
  void operator()(void* pages) const noexcept { ::munmap(pages, bytes); }
};

// Objects that the processes forked from now on share; all bytes are 0 before each is default constructed. None is ever
// destroyed: only those that need not be can lie here. Throws std::system_error.
template <class T>
std::unique_ptr<T[], unmap> make_shared_pages(std::size_t count) {
  static_assert(std::is_trivially_destructible_v<T>, "no process knows that it is the last");
  const std::size_t bytes = (count == 0 ? 1 : count) * sizeof(T);
  void* const pages =
      count > static_cast<std::size_t>(-1) / sizeof(T) / 2
          ? MAP_FAILED
          : ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) {
    throw std::system_error(errno == 0 ? ENOMEM : errno, std::generic_category(), "shared memory");
  }
  T* const objects = static_cast<T*>(pages);
  std::uninitialized_default_construct_n(objects, count);
  return {objects, unmap{bytes}};
}

}  // namespace app
