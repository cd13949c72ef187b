# mortise_tests(<prefix> <library> <source>...): each x_test.cpp is one executable <prefix>_x_test, and its cases are
# ctest cases. Labels: *_test quick, *_stress stress, *_crash crash. (*_model: tests/explore/CMakeLists.txt)

find_package(GTest REQUIRED)
include(GoogleTest)

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
                         PROPERTIES LABELS ${label} TIMEOUT 300)
  endforeach()
endfunction()
