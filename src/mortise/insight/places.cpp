#include <mortise/insight/places.hpp>

#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <string_view>

#include <mortise/insight/named.hpp>
#include <mortise/insight/symbols.hpp>
#include <mortise/insight/wait_book.hpp>

namespace mortise::inline MORTISE_ABI::insight {
namespace {

// What closes the bracket at `i`.
std::size_t closing(const std::string& name, std::size_t i) {
  int depth = 0;
  for (; i < name.size(); ++i) {
    if (name[i] == '(') ++depth;
    if (name[i] == ')' && --depth == 0) break;
  }
  return i;
}

// Of "long ns::f<T>(int) [with T = int]" what a reader needs: "ns::f<T>". What is within a function keeps that one's brackets.
std::string without_types(const std::string& name) {
  constexpr std::string_view call = "operator()";
  int depth = 0;
  std::size_t begin = 0, i = 0;
  for (; i < name.size(); ++i) {
    const char c = name[i];
    if (depth == 0 && name.compare(i, call.size(), call) == 0) {
      i += call.size() - 1;
    } else if (depth == 0 && c == '(') {
      const std::size_t end = closing(name, i);
      if (name.compare(end + 1 < name.size() ? end + 1 : end, 2, "::") != 0) break;
      i = end;
    } else if (c == '<' || c == '{') {
      ++depth;
    } else if (c == '>' || c == '}') {
      --depth;
    } else if (c == ' ' && depth == 0) {
      begin = i + 1;
    }
  }
  return name.substr(begin, i - begin);
}

std::string text_of(const code_line& l) {
  std::string text = without_types(l.function);
  if (!l.file.empty())
    text.append(" at ")
        .append(l.file.substr(l.file.rfind('/') + 1))
        .append(":")
        .append(std::to_string(l.line));
  return text;
}

std::string text_of(std::uintptr_t unknown) {
  Dl_info info{};
  char text[40];
  if (::dladdr(reinterpret_cast<void*>(unknown), &info) == 0 || info.dli_fname == nullptr) {
    std::snprintf(text, sizeof text, "0x%jx", static_cast<std::uintmax_t>(unknown));
    return text;
  }
  const std::string file = info.dli_fname;
  std::snprintf(text, sizeof text, "+0x%jx",
                static_cast<std::uintmax_t>(unknown - reinterpret_cast<std::uintptr_t>(info.dli_fbase)));
  return file.substr(file.rfind('/') + 1) + text;
}

// What a stack begins with, whoever's it is.
bool is_a_begin(const code_line& l) {
  for (const std::string_view name : {"make_fcontext", "start_thread", "__clone3", "clone",
                                      "__libc_start_main", "__libc_start_call_main", "_start"}) {
    if (l.symbol == name) return true;
  }
  return l.is_plumbing();
}

}  // namespace

std::vector<std::string> places_of(const call_stack& stack) {
  std::vector<std::string> texts;
  std::size_t as_far_as = 0;  // the last that is the program's
  for (std::size_t i = 0; i < stack.depth; ++i) {
    const std::uintptr_t at = stack.calls[i];
    const std::vector<code_line> lines = lines_at(at);
    if (lines.empty() && !texts.empty()) texts.push_back(text_of(at));
    for (const code_line& l : lines) {
      if (texts.empty() && l.is_plumbing()) continue;
      texts.push_back(text_of(l));
      if (!is_a_begin(l)) as_far_as = texts.size();
    }
  }
  texts.resize(as_far_as);
  return texts;
}

std::string lock_text(const void* lock) {
  std::string text = name_of(lock);
  if (text.starts_with("'")) return text;
  const std::optional<call_stack> at = wait_book::of_process().first_place(lock);
  const std::vector<std::string> first = at ? places_of(*at) : std::vector<std::string>{};
  if (!first.empty()) text.append(" (first waited for in ").append(first[0]).append(")");
  return text;
}

}  // namespace mortise::inline MORTISE_ABI::insight
