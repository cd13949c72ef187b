# Linux on aarch64 from another processor: Debian's cross compiler, its C library below /usr/aarch64-linux-gnu, the other
# libraries in a sysroot that `./dev` unpacks (cmake/dev/aarch64.sh), programs run by qemu-user.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

if(NOT MORTISE_SYSROOT)
  set(MORTISE_SYSROOT "${CMAKE_CURRENT_LIST_DIR}/../../build/sysroot-aarch64")
endif()
get_filename_component(MORTISE_SYSROOT "${MORTISE_SYSROOT}" ABSOLUTE)
set(MORTISE_SYSROOT "${MORTISE_SYSROOT}" CACHE PATH "Boost.Context, fmt, CLI11, nlohmann_json and GoogleTest for aarch64")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MORTISE_SYSROOT)

# Nothing of this machine's own libraries; programs that run while building are this machine's.
set(CMAKE_FIND_ROOT_PATH "${MORTISE_SYSROOT}" /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(CMAKE_CROSSCOMPILING_EMULATOR
  bash "${CMAKE_CURRENT_LIST_DIR}/emulate.sh" qemu-aarch64 /usr/aarch64-linux-gnu)
