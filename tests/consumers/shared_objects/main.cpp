// One mutex, one runtime, used from two shared objects and the program at once.
#include <cstdio>
#include <mutex>
#include <thread>

#include <mortise/mortise.hpp>

void add_in_one(mortise::mutex&, long&, int);
void add_in_other(mortise::mutex&, long&, int);

constinit mortise::mutex m;

int main() {
  constexpr int n = 100'000;
  long sum = 0;
  std::thread one{[&] { add_in_one(m, sum, n); }};
  std::thread other{[&] { add_in_other(m, sum, n); }};
  for (int i = 0; i < n; ++i) {
    std::lock_guard hold{m};
    ++sum;
  }
  one.join();
  other.join();
  std::printf("%ld\n", sum);
  return sum == 7l * n ? 0 : 1;
}
