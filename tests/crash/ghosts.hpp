#pragma once

// A section that stores for milliseconds after its process was killed: by a system call that goes on to its end. If the lock belongs
// to another thread of that process, it may be free before.

#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "child.hpp"
#include "finding.hpp"

namespace crash {

class long_store {
 public:
  static constexpr std::size_t size = std::size_t{32} << 20;

  long_store() : m_source{::memfd_create("crash-source", MFD_CLOEXEC)} {
    const std::vector<char> ones(std::size_t{1} << 20, '\1');
    for (std::size_t done = 0; done < size; done += ones.size()) {
      if (::write(m_source, ones.data(), ones.size()) != static_cast<ssize_t>(ones.size())) break;
    }
  }
  long_store(const long_store&) = delete;
  long_store& operator=(const long_store&) = delete;
  ~long_store() {
    forget();
    ::close(m_source);
  }

  // Before each child: where it stores, all zeroes.
  bool prepare() {
    forget();
    void* const p = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p != MAP_FAILED) m_target = static_cast<char*>(p);
    return m_target != nullptr;
  }
  void store() const noexcept { static_cast<void>(!::pread(m_source, m_target, size, 0)); }  // in the section
  bool has_begun() const noexcept { return at(0) != 0; }

  // How far it has come.
  std::size_t frontier() const noexcept {
    std::size_t done = 0, open = size / page;
    while (done < open) {
      const std::size_t middle = (done + open) / 2;
      if (at(middle * page) != 0) {
        done = middle + 1;
      } else {
        open = middle;
      }
    }
    return done;
  }

 private:
  static constexpr std::size_t page = 4096;
  char at(std::size_t i) const noexcept { return static_cast<const volatile char*>(m_target)[i]; }
  void forget() noexcept {
    if (m_target != nullptr) ::munmap(m_target, size);
    m_target = nullptr;
  }

  int m_source;
  char* m_target = nullptr;
};

// `live()` is what each child does: it holds the lock of `s` and calls store.store(). Each is killed as it does so, and the next
// holder is to see no store. `rounds`: how often, at most.
template <class Subject, class Live>
verdict look_for_ghosts(Subject& s, long_store& store, Live live, unsigned rounds) {
  using namespace std::chrono_literals;
  for (unsigned i = 0; i < rounds; ++i) {
    if (!store.prepare()) return {finding::broken, "no memory"};
    child c{[&] {
      live();
      return 0;
    }};
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (!store.has_begun()) {
      if (std::chrono::steady_clock::now() > until) return {finding::broken, "the child has not begun"};
      std::this_thread::yield();
    }
    c.signal(SIGKILL);
    std::size_t first = 0, second = 0;
    const bool had = s.update_for(20s, [&](auto&, auto) {
      first = store.frontier();
      std::this_thread::sleep_for(5ms);
      second = store.frontier();
    });
    if (!had) return {finding::stuck, "nobody has the lock any more"};
    if (first != second)
      return {finding::haunted,
              "the dead stored on when the next one was inside, in round " + std::to_string(i)};
  }
  return {};
}

}  // namespace crash
