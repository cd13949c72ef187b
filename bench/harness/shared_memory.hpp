#pragma once

// Memory that this process has in common with those that it forks.

#include <sys/mman.h>

#include <cerrno>
#include <new>
#include <system_error>

namespace bench {

// A T of its own pages, made here; a process that is forked later sees the same one. T is never destroyed: who is killed
// destroys nothing either.
template <class T>
class shared_memory {
 public:
  shared_memory() {
    void* const at = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "shared memory");
    m_value = ::new (at) T{};
  }
  ~shared_memory() { ::munmap(m_value, sizeof(T)); }
  shared_memory(const shared_memory&) = delete;
  shared_memory& operator=(const shared_memory&) = delete;

  T& operator*() const { return *m_value; }
  T* operator->() const { return m_value; }

 private:
  T* m_value;
};

}  // namespace bench
