#include <mortise/lock/mutex.hpp>

int main() {
  mortise::mutex m;
  m.lock();
  m.unlock();
}
