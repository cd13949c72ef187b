#include <mortise/shm/region.hpp>

#include <mutex>

#include <time.h>

#include <mortise/shm/error.hpp>

namespace mortise::inline MORTISE_ABI::shm {
namespace {

constexpr nanos patience = 5'000'000'000;

std::string name_of(const place& where) {
  if (!where.name().empty()) return where.name();
  if (where.descriptor() < 0) return "(anonymous)";
  return "(descriptor " + std::to_string(where.descriptor()) + ")";
}

std::optional<open_region> try_open(const place& where, const maker& with) {
  if (!where.name().empty()) return try_open_named(where.name(), with);
  if (where.descriptor() >= 0) return open_descriptor(where.descriptor(), with.what);
  return make_anonymous(with);
}

}  // namespace

region::region(const place& where, const content& what, void (*make)(void* payload, void* argument),
               void* argument)
    : m_name{name_of(where)} {
  const nanos deadline = now_ns() + patience;
  for (;;) {
    {
      const std::lock_guard hold{live->guard};
      if (auto found = try_open(where, {what, make, argument})) {
        m_open = std::move(*found);
        m_lock = std::launder(reinterpret_cast<lock_block*>(m_open.memory.at() + lock_at));
        m_members.begin(std::move(m_open.file),
                        reinterpret_cast<participant_slot*>(m_open.memory.at() + participants_at),
                        "shared memory '" + m_name + "'");
        return;
      }
    }
    if (now_ns() > deadline) {
      throw error{"shared memory '" + m_name +
                  "' is being made or removed by another process, which has not gone on for 5 s"};
    }
    const timespec pause{0, 500'000};
    ::nanosleep(&pause, nullptr);
  }
}

region::~region() = default;

int region::descriptor() const {
  const std::lock_guard hold{live->guard};
  if (m_passed) return m_passed.get();
  if (m_members.file() < 0) {
    throw std::system_error{EBADF, std::generic_category(),
                            "shared memory '" + m_name + "' has no descriptor in this child"};
  }
  m_passed.reset(reopen(m_members.file()));
  if (!m_passed) throw_errno("cannot open a descriptor of shared memory '" + m_name + "' to pass on");
  return m_passed.get();
}

}  // namespace mortise::inline MORTISE_ABI::shm
