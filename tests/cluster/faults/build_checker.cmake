# cmake -Dgo= -Dsource= -Denvironment= [-Dout= | -Dtest=1] -P build_checker.cmake
# Builds the checker, or tests it. Where its module cannot be had that is no error: it is left out, with a line that says why.

if(out)
  file(REMOVE "${out}")
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -E env ${environment} "${go}" mod download WORKING_DIRECTORY "${source}"
                RESULT_VARIABLE code ERROR_VARIABLE said OUTPUT_QUIET)
if(code EQUAL 0)
  if(test)
    set(what test -count=1 ./...)
  else()
    set(what build -o "${out}" .)
  endif()
  execute_process(COMMAND ${CMAKE_COMMAND} -E env ${environment} "${go}" ${what} WORKING_DIRECTORY "${source}"
                  COMMAND_ERROR_IS_FATAL ANY)
else()
  string(REGEX REPLACE "\n.*" "" said "${said}")
  message(STATUS "the checker of histories is left out: ${said}")
endif()
if(out)
  file(TOUCH "${out}.built")
endif()
