# Which flavours of Asio are here, for the tests and the examples. Neither is needed to use mortise::asio's headers with one's own.
#   mortise_asio_flavours   a list of standalone, boost
#   mortise_asio_<flavour>  what brings its headers, and who waits for threads

set(mortise_asio_flavours)

function(mortise_find_asio flavour header)
  string(TOUPPER "MORTISE_ASIO_${flavour}_INCLUDE" where)
  find_path(${where} "${header}" HINTS ${Boost_INCLUDE_DIRS})
  mark_as_advanced(${where})
  if(NOT ${where})
    message(STATUS "${flavour} Asio not found: its tests and examples are left out")
    return()
  endif()
  add_library(mortise_asio_${flavour} INTERFACE)
  target_include_directories(mortise_asio_${flavour} SYSTEM INTERFACE "${${where}}")
  target_link_libraries(mortise_asio_${flavour} INTERFACE Threads::Threads)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")  # which some versions take for one without the standard's coroutines
    string(REPLACE "standalone" "ASIO" prefix "${flavour}")
    string(REPLACE "boost" "BOOST_ASIO" prefix "${prefix}")
    target_compile_definitions(mortise_asio_${flavour} INTERFACE ${prefix}_HAS_CO_AWAIT=1 ${prefix}_HAS_STD_COROUTINE=1)
  endif()
  set(mortise_asio_flavours ${mortise_asio_flavours} ${flavour} PARENT_SCOPE)
endfunction()

mortise_find_asio(standalone asio/execution.hpp)
mortise_find_asio(boost boost/asio/execution.hpp)

# Boost.Fiber, whose fibers are among the parties of the tests.
find_package(Boost 1.71 QUIET OPTIONAL_COMPONENTS fiber)
