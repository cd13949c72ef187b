#include <mortise/insight/places.hpp>

#include <cxxabi.h>
#include <dlfcn.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string_view>

#if __has_include(<elfutils/libdwfl.h>)
#include <elfutils/libdwfl.h>
#define MORTISE_HAS_DWFL 1
#else
#define MORTISE_HAS_DWFL 0
#endif

namespace mortise::inline MORTISE_ABI::insight {
namespace {

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> plain{
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free};
  return plain != nullptr ? plain.get() : name;
}

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

#if MORTISE_HAS_DWFL
// Loaded, and not linked: a program that is never asked has no use for it.
class debug_info {
 public:
  static debug_info* of_process() {
    static debug_info* const it = [] {
      auto made = std::make_unique<debug_info>();
      return made->m_dwfl != nullptr ? made.release() : nullptr;
    }();
    return it;
  }

  debug_info() {
    void* const library = ::dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return;
    const auto find = [&](auto& f, const char* name) {
      f = reinterpret_cast<std::remove_reference_t<decltype(f)>>(::dlsym(library, name));
      return f != nullptr;
    };
    decltype(&dwfl_begin) begin = nullptr;
    if (!find(begin, "dwfl_begin") || !find(m_report_begin, "dwfl_report_begin") ||
        !find(m_report_end, "dwfl_report_end") || !find(m_proc_report, "dwfl_linux_proc_report") ||
        !find(m_module, "dwfl_addrmodule") || !find(m_name, "dwfl_module_addrname") ||
        !find(m_source, "dwfl_module_getsrc") || !find(m_line, "dwfl_lineinfo") ||
        !find(m_calls.find_elf, "dwfl_linux_proc_find_elf") ||
        !find(m_calls.find_debuginfo, "dwfl_standard_find_debuginfo"))
      return;
    m_dwfl = begin(&m_calls);
  }

  struct found {
    std::string function, file;
    int line = 0;
  };
  found at(std::uintptr_t address) {
    const std::lock_guard hold{m_guard};
    Dwfl_Module* module = m_module(m_dwfl, address);
    if (module == nullptr) {  // loaded since
      m_report_begin(m_dwfl);
      m_proc_report(m_dwfl, ::getpid());
      m_report_end(m_dwfl, nullptr, nullptr);
      module = m_module(m_dwfl, address);
    }
    found f;
    if (module == nullptr) return f;
    if (const char* const name = m_name(module, address); name != nullptr) f.function = demangled(name);
    if (Dwfl_Line* const line = m_source(module, address); line != nullptr) {
      Dwarf_Addr at_line = address;
      if (const char* const file = m_line(line, &at_line, &f.line, nullptr, nullptr, nullptr);
          file != nullptr)
        f.file = file;
    }
    return f;
  }

 private:
  std::mutex m_guard;
  Dwfl_Callbacks m_calls{};
  Dwfl* m_dwfl = nullptr;
  decltype(&dwfl_report_begin) m_report_begin = nullptr;
  decltype(&dwfl_report_end) m_report_end = nullptr;
  decltype(&dwfl_linux_proc_report) m_proc_report = nullptr;
  decltype(&dwfl_addrmodule) m_module = nullptr;
  decltype(&dwfl_module_addrname) m_name = nullptr;
  decltype(&dwfl_module_getsrc) m_source = nullptr;
  decltype(&dwfl_lineinfo) m_line = nullptr;
};
#endif

struct place {
  std::string function;  // "ns::f<T>", or nothing
  std::string text;
};

place look_up(void* return_address) {
  // In the call: the address behind it may be another line's, or another function's.
  const std::uintptr_t at = reinterpret_cast<std::uintptr_t>(return_address) - 1;
  place p;
#if MORTISE_HAS_DWFL
  if (debug_info* const d = debug_info::of_process(); d != nullptr) {
    const auto f = d->at(at);
    if (!f.function.empty()) {
      p.function = without_types(f.function);
      p.text = p.function;
      const std::size_t folder = f.file.rfind('/');
      if (!f.file.empty())
        p.text += " at " + (folder == std::string::npos ? f.file : f.file.substr(folder + 1)) + ":" +
                  std::to_string(f.line);
      return p;
    }
  }
#endif
  Dl_info info{};
  char text[40];
  if (::dladdr(reinterpret_cast<void*>(at), &info) == 0 || info.dli_fname == nullptr) {
    std::snprintf(text, sizeof text, "0x%jx", static_cast<std::uintmax_t>(at));
    p.text = text;
    return p;
  }
  if (info.dli_sname != nullptr) {
    p.function = without_types(demangled(info.dli_sname));
    p.text = p.function;
    return p;
  }
  const std::string file = info.dli_fname;
  std::snprintf(text, sizeof text, "+0x%jx",
                static_cast<std::uintmax_t>(at - reinterpret_cast<std::uintptr_t>(info.dli_fbase)));
  p.text = file.substr(file.rfind('/') + 1) + text;
  return p;
}

// Of what waits, and of what locks for others.
bool is_of_the_library(const std::string& function) {
  for (const std::string_view part :
       {"mortise::", "std::lock_guard<", "std::unique_lock<", "std::shared_lock<", "std::scoped_lock<",
        "backtrace", "__interceptor_backtrace"}) {
    if (function.find(part) == 0) return true;
  }
  return false;
}

}  // namespace

std::string place_of(void* return_address) { return look_up(return_address).text; }

std::vector<std::string> places_of(std::span<void* const> stack) {
  std::vector<std::string> texts;
  bool at_top = true;
  for (void* const frame : stack) {
    const place p = look_up(frame);
    if (at_top && is_of_the_library(p.function)) continue;
    at_top = false;
    texts.push_back(p.text);
  }
  return texts;
}

}  // namespace mortise::inline MORTISE_ABI::insight
