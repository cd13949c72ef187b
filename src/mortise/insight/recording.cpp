#include <mortise/insight/recording.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <new>
#include <unordered_map>

#include <mortise/base/fork.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/process_global.hpp>

namespace mortise::inline MORTISE_ABI::insight {
namespace {

constexpr std::size_t most_places = 65'536;

struct key {
  const char* kind;
  call_stack at;
  bool operator==(const key&) const = default;
};
struct hash_of {
  std::size_t operator()(const key& k) const noexcept { return k.at.hash(); }
};

struct ledger {
  os_mutex guard;
  bool under_way = false;
  std::int64_t began_ns = 0;
  nanos began = 0, lasted = 0, every = 0;
  double not_kept = 0;
  std::unique_ptr<std::unordered_map<key, sums, hash_of>> places;
};
constinit process_global<ledger> book;

}  // namespace

void begin_recording(nanos every) {
  hold_over_forks<book>();
  auto fresh = std::make_unique<std::unordered_map<key, sums, hash_of>>();
  const std::lock_guard hold{book->guard};
  book->every = every;
  if (book->under_way) return;
  book->under_way = true;
  book->places.swap(fresh);
  book->not_kept = 0;
  book->began = now_ns();
  book->began_ns = since_epoch(std::chrono::system_clock::now().time_since_epoch());
}

bool end_recording() noexcept {
  const std::lock_guard hold{book->guard};
  if (!book->under_way) return false;
  book->under_way = false;
  book->lasted = now_ns() - book->began;
  return true;
}

bool recording_is_under_way() noexcept {
  const std::lock_guard hold{book->guard};
  return book->under_way;
}

void record(const char* kind, const call_stack& at, const sums& more) noexcept {
  const std::lock_guard hold{book->guard};
  if (!book->under_way) return;
  const key k{kind, at};
  const auto known = book->places->find(k);
  if (known != book->places->end()) {
    known->second += more;
    return;
  }
  try {
    if (book->places->size() < most_places) {
      book->places->emplace(k, more);
      return;
    }
  } catch (const std::bad_alloc&) {  // as without room
  }
  book->not_kept += more.contentions + more.waits;
}

recording recorded() {
  recording r;
  const std::lock_guard hold{book->guard};
  r.began_ns = book->began_ns;
  r.lasted = book->under_way ? now_ns() - book->began : book->lasted;
  r.every = book->every;
  r.not_kept = book->not_kept;
  if (book->places == nullptr) return r;
  r.places.reserve(book->places->size());
  for (const auto& [k, sum] : *book->places) r.places.push_back({k.kind, k.at, sum});
  return r;
}

}  // namespace mortise::inline MORTISE_ABI::insight
