// mortise::asio with the Asio that its user has. Without one there is nothing to include, and the target is linked all the same.
#if HAS_ASIO
#include <asio.hpp>
#include <mortise/asio/standalone.hpp>

int main() {
  asio::io_context io;
  mortise::guarded<int> value{1};
  int handlers = 0;
  for (int i = 0; i < 3; ++i) {
    mortise::async_lock(value,
                        asio::bind_executor(io, [&](std::error_code e, mortise::guarded<int>::guard held) {
                          if (!e) *held *= 2;
                          ++handlers;
                        }));
  }
  io.run();
  return handlers == 3 && value.read([](const int& n) { return n; }) == 8 ? 0 : 1;
}
#else
#include <mortise/lock/mutex.hpp>
int main() {}
#endif
