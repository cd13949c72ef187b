# What writes contention profiles; without it all else of mortise::insight is there.
#   mortise_has_pprof      protozero and zlib, which make pprof's format
#   mortise_has_backtrace  GCC's libbacktrace, which knows functions and lines by their addresses

include(CheckCXXSourceCompiles)

find_path(MORTISE_PROTOZERO_INCLUDE protozero/pbf_writer.hpp)
mark_as_advanced(MORTISE_PROTOZERO_INCLUDE)
find_package(ZLIB QUIET)
set(mortise_has_pprof 0)
if(MORTISE_PROTOZERO_INCLUDE AND ZLIB_FOUND)
  set(mortise_has_pprof 1)
else()
  message(STATUS "protozero or zlib not found: profiles cannot be written")
endif()

# As it goes into a shared library: it comes with GCC, for GCC.
set(CMAKE_REQUIRED_LIBRARIES backtrace)
set(CMAKE_REQUIRED_FLAGS "-fPIC -shared")
check_cxx_source_compiles([[
#include <backtrace.h>
backtrace_state* state() { return backtrace_create_state(nullptr, 1, nullptr, nullptr); }
]] MORTISE_HAS_BACKTRACE)
unset(CMAKE_REQUIRED_LIBRARIES)
unset(CMAKE_REQUIRED_FLAGS)
set(mortise_has_backtrace 0)
if(MORTISE_HAS_BACKTRACE)
  set(mortise_has_backtrace 1)
else()
  message(STATUS "libbacktrace not found: profiles have addresses, which pprof finds the names for, and names of what is exported")
endif()
