// Names by GCC's libbacktrace, which reads symbol tables and debug information; where it is not to be had by dladdr, which knows what a
// file exports.
#include <mortise/insight/symbols.hpp>

#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdlib>
#include <memory>
#include <string_view>

#if MORTISE_HAS_BACKTRACE
#include <backtrace.h>
#endif

namespace mortise::inline MORTISE_ABI::insight {
namespace {

std::string readable(const char* symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text{abi::__cxa_demangle(symbol, nullptr, nullptr, &status),
                                                    std::free};
  return status == 0 && text != nullptr ? text.get() : symbol;
}

code_line line_of(const char* symbol, const char* file, int line) {
  code_line l;
  if (symbol != nullptr) {
    l.symbol = symbol;
    l.function = readable(symbol);
  }
  if (file != nullptr) {
    l.file = file;
    l.line = line;
  }
  return l;
}

#if MORTISE_HAS_BACKTRACE
void ignored(void*, const char*, int) {}

backtrace_state* state() {
  static backtrace_state* const s = backtrace_create_state(nullptr, 1, ignored, nullptr);  // cannot be freed
  return s;
}
#endif

}  // namespace

std::vector<code_line> lines_at(std::uintptr_t address) {
  std::vector<code_line> found;
#if MORTISE_HAS_BACKTRACE
  backtrace_pcinfo(
      state(), address,
      [](void* to, std::uintptr_t, const char* file, int line, const char* function) {
        if (function != nullptr)
          static_cast<std::vector<code_line>*>(to)->push_back(line_of(function, file, line));
        return 0;
      },
      ignored, &found);
  // Debug information has no linked names for what is linked within its file only; the symbol table has, but not of what was inlined.
  if (!found.empty() && found.back().symbol.starts_with("_Z")) return found;
  const char* symbol = nullptr;
  backtrace_syminfo(
      state(), address,
      [](void* to, std::uintptr_t, const char* name, std::uintptr_t, std::uintptr_t) {
        *static_cast<const char**>(to) = name;
      },
      ignored, &symbol);
  if (symbol != nullptr && found.empty()) {
    found.push_back(line_of(symbol, nullptr, 0));
  } else if (symbol != nullptr) {
    found.back().symbol = symbol;
    found.back().function = readable(symbol);
  }
#else
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(address), &info) != 0 && info.dli_sname != nullptr)
    found.push_back(line_of(info.dli_sname, nullptr, 0));
#endif
  return found;
}

bool code_line::is_plumbing() const noexcept {
  // What was inlined, and a lambda, is known by its last name alone: so where it is written is asked as well.
  for (const std::string_view folder :
       {"/include/c++/", "/mortise/base/", "/mortise/wait/", "/mortise/lock/", "/mortise/task/",
        "/mortise/asio/", "/mortise/shm/", "/mortise/cluster/", "/mortise/insight/"}) {
    if (file.find(folder) != std::string::npos && !file.ends_with("_test.cpp")) return true;
  }
  std::string_view s{symbol};
  if (!s.starts_with("_Z")) return false;
  s.remove_prefix(2);  // the first name in it is that of the outermost namespace
  while (!s.empty() && (s[0] == 'Z' || s[0] == 'N' || s[0] == 'K' || s[0] == 'T' || s[0] == 'h'))
    s.remove_prefix(1);
  return s.starts_with("7mortise") || s.starts_with("St") || s.starts_with("9__gnu_cxx");
}

std::size_t plumbing_of(const std::vector<code_line>& lines) noexcept {
  std::size_t n = 0;
  while (n < lines.size() && lines[n].is_plumbing()) ++n;
  return n;
}

}  // namespace mortise::inline MORTISE_ABI::insight
