#include <mortise/shm/mutex.hpp>

namespace mortise::inline MORTISE_ABI::shm {
namespace {

constexpr content nothing{"mortise::shm::mutex", 0, 0, 1};

}  // namespace

mutex::mutex(const place& where) : mutex{where, nothing, [](void*, void*) {}, nullptr} {}

mutex::mutex(const place& where, const content& what, void (*make)(void* payload, void* argument),
             void* argument)
    : m_side{new local_side{where, what, make, argument}} {}

}  // namespace mortise::inline MORTISE_ABI::shm
