#pragma once

// One way to add to a list that is kept in the store. The test is what becomes of the list.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace faults {

using list = std::vector<std::int64_t>;

struct settings {
  std::vector<std::string> endpoints;
  std::chrono::milliseconds lease_ttl{2000};
};

enum class ending {
  ok,
  lost,     // not applied, nor will it be: the lock was lost
  failed,   // the same, for another reason
  unknown,  // applied once, now or later, or not at all
};

struct result {
  ending how;
  std::int64_t at = 0;  // of an add: how many elements there were before
  list value{};         // of a read
};

// Its functions may be called on several threads at a time, and do not throw.
class arm {
 public:
  virtual ~arm() = default;
  virtual result add(const std::string& key, std::int64_t element) = 0;
  virtual result read(const std::string& key) = 0;
  virtual std::string counted() const { return {}; }  // for people, at the end
};

std::unique_ptr<arm> make_fenced(const settings& s);    // cluster::guarded
std::unique_ptr<arm> make_unfenced(const settings& s);  // cluster::mutex around a plain get and a plain put
std::unique_ptr<arm> make_v3lock(const settings& s);    // etcd's own lock around the same

// Called in the middle of each update, once the value is known and before it is written: where the process stops if it was told to.
void in_the_middle();

}  // namespace faults
