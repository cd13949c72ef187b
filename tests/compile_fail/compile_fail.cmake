# Each tests/compile_fail/x.cpp must compile as it stands and must not with -DMORTISE_WRONG, for the reason that it names:
#
#     // wrong: <a regular expression that the compiler's errors must match>
#     // flags: <further flags>                 (optional)
#     // compiler: clang                        (optional; with the other this is no test)

file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/*.cpp")
foreach(source ${sources})
  file(STRINGS "${source}" compiler REGEX "^// compiler: clang")
  if(compiler AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    continue()
  endif()
  get_filename_component(name "${source}" NAME_WE)
  add_test(NAME compile_fail.${name} COMMAND bash "${CMAKE_CURRENT_LIST_DIR}/compile_fail.sh"
           "${CMAKE_CXX_COMPILER}" "${PROJECT_SOURCE_DIR}/src" "${source}")
  set_tests_properties(compile_fail.${name} PROPERTIES LABELS quick TIMEOUT 120)
endforeach()
