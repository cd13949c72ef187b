# What holds only when mortise is not part of another project.

option(BUILD_SHARED_LIBS "Build shared libraries" OFF)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()
find_program(MORTISE_CCACHE ccache DOC "the compiler cache; used if it is there")
mark_as_advanced(MORTISE_CCACHE)
if(MORTISE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${MORTISE_CCACHE}")
endif()
