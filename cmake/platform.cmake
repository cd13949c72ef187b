# What mortise runs on. Sets mortise_unsupported to one line that says what is wrong, or to nothing.

set(mortise_unsupported "")
set(compiler "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(mortise_unsupported "mortise needs Linux, this is ${CMAKE_SYSTEM_NAME}")
elseif(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|aarch64)$" OR CMAKE_SIZEOF_VOID_P EQUAL 4)
  set(mortise_unsupported "mortise needs 64-bit x86-64 or aarch64, this is ${CMAKE_SYSTEM_PROCESSOR}")
elseif(NOT CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang)$" OR
       (CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12) OR
       (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 16))
  set(mortise_unsupported "mortise needs g++ 12 or clang 16, or later; this is ${compiler}")
endif()
