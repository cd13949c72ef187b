#include <mortise/base/stack_trace.hpp>

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace mortise::inline MORTISE_ABI {
namespace {

constexpr int most_skipped = 8;

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> plain{
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free};
  return plain != nullptr ? plain.get() : name;
}

}  // namespace

stack_trace stack_trace::capture(int skip) noexcept {
  std::array<void*, most + most_skipped> all;
  const auto end = all.begin() + ::backtrace(all.data(), static_cast<int>(all.size()));
  // Before the caller is our own frame, and, under a sanitizer that interposes backtrace, another.
  const auto caller = std::find(all.begin(), end, __builtin_return_address(0));
  stack_trace trace;
  const auto first = caller + std::min<std::ptrdiff_t>(skip, end - caller);
  trace.size = static_cast<int>(std::min<std::ptrdiff_t>(most, end - first));
  std::copy_n(first, trace.size, trace.frames.begin());
  return trace;
}

void stack_trace::print(std::string& to, const char* indent) const {
  char text[64];
  for (int i = 0; i < size; ++i) {
    // In the call: the address behind it may be another line's, or another function's.
    const std::uintptr_t at = reinterpret_cast<std::uintptr_t>(frames[static_cast<std::size_t>(i)]) - 1;
    std::snprintf(text, sizeof text, "#%d ", i);
    to.append(indent).append(text);
    Dl_info info{};
    link_map* module = nullptr;
    if (::dladdr1(reinterpret_cast<void*>(at), &info, reinterpret_cast<void**>(&module), RTLD_DL_LINKMAP) ==
        0) {
      std::snprintf(text, sizeof text, "0x%jx\n", static_cast<std::uintmax_t>(at));
      to += text;
      continue;
    }
    if (info.dli_sname != nullptr) {
      std::snprintf(text, sizeof text, "+0x%jx ",
                    static_cast<std::uintmax_t>(at - reinterpret_cast<std::uintptr_t>(info.dli_saddr)));
      to.append(demangled(info.dli_sname)).append(text);
    }
    // Less what the module was moved by, not less where it begins: those differ in a program that is linked to a fixed address.
    std::snprintf(text, sizeof text, "+0x%jx)\n",
                  static_cast<std::uintmax_t>(at - (module != nullptr ? module->l_addr : 0)));
    to.append("(").append(info.dli_fname).append(text);
  }
}

}  // namespace mortise::inline MORTISE_ABI
