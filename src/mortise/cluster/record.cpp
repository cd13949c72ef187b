#include <mortise/cluster/record.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace mortise::inline MORTISE_ABI::cluster {

namespace {

constexpr std::string_view opening = "mortise 1 ";

void append(std::string& to, std::uint64_t n) {
  char text[20];
  to.append(text, std::to_chars(text, text + sizeof text, n).ptr);
}

// Takes a number off the front.
bool take(std::string_view& from, std::uint64_t& n) {
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), n);
  if (error != std::errc{}) return false;
  from.remove_prefix(static_cast<std::size_t>(end - from.data()));
  return true;
}

bool take(std::string_view& from, char c) {
  if (from.empty() || from.front() != c) return false;
  from.remove_prefix(1);
  return true;
}

}  // namespace

record record::with(commit_id id, std::string new_bytes) const {
  record r;
  r.count = count + 1;
  const std::size_t kept = std::min(last.size(), most_ids - 1);
  r.last.reserve(kept + 1);
  r.last.assign(last.end() - static_cast<std::ptrdiff_t>(kept), last.end());
  r.last.push_back(id);
  r.bytes = std::move(new_bytes);
  return r;
}

std::string record::text() const {
  std::string t{opening};
  append(t, count);
  for (const commit_id& id : last) {
    t += ' ';
    append(t, id.token);
    t += '.';
    append(t, id.op);
  }
  t += '\n';
  return t += bytes;
}

std::optional<record> record::parse(std::string_view text) {
  record r;
  if (!text.starts_with(opening)) return std::nullopt;
  text.remove_prefix(opening.size());
  if (!take(text, r.count)) return std::nullopt;
  while (take(text, ' ')) {
    commit_id id;
    if (r.last.size() == most_ids || !take(text, id.token) || !take(text, '.') || !take(text, id.op))
      return std::nullopt;
    r.last.push_back(id);
  }
  if (!take(text, '\n') || r.last.size() != std::min<std::uint64_t>(r.count, most_ids)) return std::nullopt;
  r.bytes = text;
  return r;
}

record::answer record::contains(commit_id id, std::uint64_t number) const {
  if (std::find(last.begin(), last.end(), id) != last.end()) return answer::yes;
  // The list has those from number count - last.size() + 1 to count: one of them is commit `number`, and it is another one. A count that
  // has not come that far is no answer: somebody has begun anew.
  return number > count - last.size() && number <= count ? answer::no : answer::cannot_tell;
}

}  // namespace mortise::inline MORTISE_ABI::cluster
