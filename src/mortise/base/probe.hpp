#pragma once

// Places that a tracer can look at from outside while the program runs (bpftrace, perf, gdb; docs/probes.md): a nop each, and a note in the
// file that says where it is and where its arguments are. Built in where <sys/sdt.h> is (-DMORTISE_PROBES=OFF: not); elsewhere, and in
// models, nothing. In .cpp files only: headers stay free of <sys/sdt.h>, and a probe that is inlined is as many places.
//
//     MORTISE_PROBE(handoff, this, who, waited)     up to twelve numbers and pointers
//
// An argument that has to be computed costs what that costs, whether somebody looks or not: pass what is at hand anyway.
// Source: SystemTap's sys/sdt.h, whose notes all these tools read.

#include <mortise/base/abi.hpp>

#if defined(MORTISE_PROBES) && MORTISE_PROBES && !MORTISE_IS_MODEL

#define SDT_USE_VARIADIC  // asked for by the header, for STAP_PROBEV
#include <sys/sdt.h>
#define MORTISE_PROBE(name, ...) STAP_PROBEV(mortise, name, __VA_ARGS__)

#else

namespace mortise::inline MORTISE_ABI {
template <class... T>
void unprobed(const T&...) noexcept {}
}  // namespace mortise::inline MORTISE_ABI
// What would be passed counts as used and is not computed.
#define MORTISE_PROBE(name, ...)                 \
  do {                                           \
    if (false) ::mortise::unprobed(__VA_ARGS__); \
  } while (false)

#endif
