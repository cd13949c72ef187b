# mortise_tests(<prefix> <library> <source>...): each x_test.cpp is one executable <prefix>_x_test, and its cases are
# ctest cases. Labels: *_test quick, *_stress stress, *_crash crash. (*_model: tests/explore/CMakeLists.txt)

find_package(GTest REQUIRED)
include(GoogleTest)
set(MORTISE_TEST_TIMEOUT 300 CACHE STRING "Seconds that a test may take; an emulator needs more")
mark_as_advanced(MORTISE_TEST_TIMEOUT)

# mortise_runnable(<out> <target>): what other programs start it by. Its file, or where the processor is emulated a script.
function(mortise_runnable out target)
  set(program "$<TARGET_FILE:${target}>")
  if(CMAKE_CROSSCOMPILING_EMULATOR)
    add_custom_command(TARGET ${target} POST_BUILD VERBATIM
                       COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} "$<TARGET_FILE:${target}>" --script)
    set(program "${program}.emulated")
  endif()
  set(${out} "${program}" PARENT_SCOPE)
endfunction()

function(mortise_tests prefix library)
  foreach(source ${ARGN})
    get_filename_component(stem "${source}" NAME_WE)
    string(REGEX REPLACE ".*_" "" kind "${stem}")
    string(REPLACE "test" "quick" label "${kind}")
    set(name ${prefix}_${stem})
    add_executable(${name} "${source}")
    target_link_libraries(${name} PRIVATE ${library} GTest::gmock GTest::gtest_main)
    target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")  # <support/...>
    # `if (c) ASSERT_EQ(...)` is meant, and gtest's macros take care of it
    target_compile_options(${name} PRIVATE -Wall -Wextra -Wshadow -Wno-dangling-else)
    gtest_discover_tests(${name} TEST_PREFIX ${prefix}. DISCOVERY_MODE PRE_TEST
                         PROPERTIES LABELS ${label} TIMEOUT ${MORTISE_TEST_TIMEOUT})
  endforeach()
endfunction()
