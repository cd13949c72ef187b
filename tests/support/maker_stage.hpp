#pragma once

// A region "r" whose payload says how many were made before it, and what other processes make of it meanwhile.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <mutex>
#include <optional>

#include <mortise/shm/region.hpp>
#include <support/at_each_call.hpp>
#include <support/emulated.hpp>
#include <support/forked.hpp>
#include <support/runtime_place.hpp>

namespace mortise::test {

class maker_stage : public testing::Test {
 protected:
  static constexpr shm::content number{"number", 11, 8, 8};

  void SetUp() override {
    if (emulated()) GTEST_SKIP() << "the emulator traces nothing";
  }
  static void make(void* payload, void* made) {
    *static_cast<int*>(payload) = 1 + static_cast<std::atomic<int>*>(made)->fetch_add(1);
  }
  int open() { return value(shm::region{"r", number, make, &*m_made}); }
  static int value(const shm::region& r) { return *static_cast<const int*>(r.payload()); }
  // The region as another process has it that tries but once, if it can be had now.
  std::optional<int> try_open() {
    const std::lock_guard hold{shm::live->guard};
    const auto r = shm::try_open_named("r", {number, make, &*m_made});
    if (!r) return std::nullopt;
    return *reinterpret_cast<const int*>(r->memory.at() + shm::payload_at);
  }
  void remove() const { std::filesystem::remove(m_room.path("r")); }
  // One from before a start of the machine, which had come to `token`.
  void from_another_boot(std::uint64_t token = 0) {
    remove();
    shm::region{"r", number, make, &*m_made}.lock().token = token;
    const int fd = ::open(m_room.path("r").c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(::pwrite(fd, "none", 4, offsetof(shm::header, boot_id)), 4);
    ::close(fd);
    *m_made = 100;
  }

  runtime_place m_room;
  shared_with_children<std::atomic<int>> m_made, m_childs;
};

}  // namespace mortise::test
