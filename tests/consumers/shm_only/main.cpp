// mortise::shm alone: a parent and its child have one region, and each is a participant of its own.
#include <sys/wait.h>
#include <unistd.h>
#include <cstdio>
#include <stdexcept>
#include <string>

#include <mortise/shm/error.hpp>
#include <mortise/shm/listing.hpp>
#include <mortise/shm/region.hpp>

int main() {
  using mortise::shm::place;
  using mortise::shm::region;
  const mortise::shm::content number{"number", 1, sizeof(int), alignof(int)};
  region shared{place::anonymous(), number, [](void* payload, void*) { *static_cast<int*>(payload) = 1; },
                nullptr};
  const auto parent = shared.members().me();
  const pid_t child = ::fork();
  if (child == 0) {
    region passed{place::descriptor(shared.descriptor()), number, nullptr, nullptr};
    *static_cast<int*>(passed.payload()) = 42;
    ::_exit(shared.members().me() != parent && shared.members().alive(parent) ? 0 : 1);
  }
  int status = 1;
  if (::waitpid(child, &status, 0) != child || status != 0) return 2;
  if (*static_cast<const int*>(shared.payload()) != 42) return 3;
  try {
    region other{place::descriptor(shared.descriptor()), {"other", 2, 8, 8}, nullptr, nullptr};
    return 4;
  } catch (const mortise::shm::error& refused) {
    std::puts(refused.what());
  }
  return mortise::shm::list_regions().empty() && !mortise::shm::inspect_region("nothing") ? 0 : 5;
}
