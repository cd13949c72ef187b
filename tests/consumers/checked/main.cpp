#include <mortise/lock/mutex.hpp>

#if !MORTISE_CHECKED
#error "a checked library's users must be compiled with MORTISE_CHECKED=1"
#endif

int main() {
  mortise::mutex m;
  m.lock();
  m.lock();  // named, and the program ends
}
