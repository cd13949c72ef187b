#pragma once

// The key:value words behind a workload's name, each checked against its range.

#include <charconv>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bench {

// A bad word: what() is one line that names the key and says what is allowed. Exit 2.
class usage_error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

class keys {
 public:
  keys() = default;
  keys(int count, char** words) {
    for (int i = 0; i < count; ++i) {
      const std::string_view word = words[i];
      const std::size_t colon = word.find(':');
      if (colon == std::string_view::npos)
        throw usage_error(std::string{word} + ": is not of the form key:value");
      const std::string key{word.substr(0, colon)};
      if (!m_given.emplace(key, word.substr(colon + 1)).second) throw usage_error(key + ": given twice");
    }
  }

  // The value of `key` in least..most, or `otherwise` if it was not given. Throws usage_error.
  std::int64_t number(const std::string& key, std::int64_t otherwise, std::int64_t least, std::int64_t most) {
    m_known.insert(key);
    const auto found = m_given.find(key);
    if (found == m_given.end()) return otherwise;
    const std::string& text = found->second;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
      throw usage_error(key + ": " + text + " is not in " + std::to_string(least) + ".." +
                        std::to_string(most));
    }
    return value;
  }

  unsigned count(const std::string& key, unsigned otherwise, unsigned least, unsigned most) {
    return static_cast<unsigned>(number(key, otherwise, least, most));
  }

  std::string word(const std::string& key, std::string otherwise) {
    m_known.insert(key);
    const auto found = m_given.find(key);
    return found == m_given.end() ? std::move(otherwise) : found->second;
  }

  // Called when all keys have been asked for. Throws usage_error if another one was given.
  void no_others() const {
    for (const auto& [key, value] : m_given) {
      if (!m_known.contains(key)) throw usage_error(key + ": this workload has no such key");
    }
  }

 private:
  std::map<std::string, std::string> m_given;
  std::set<std::string> m_known;
};

}  // namespace bench
