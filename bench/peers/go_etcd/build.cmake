# cmake -Dgo= -Dsource= -Denvironment= -Dout= -P build.cmake: a toolchain that is too old, or modules that cannot be had, leave it out.

file(REMOVE "${out}")
execute_process(COMMAND ${CMAKE_COMMAND} -E env ${environment} "${go}" mod download WORKING_DIRECTORY "${source}"
                RESULT_VARIABLE code ERROR_VARIABLE said OUTPUT_QUIET)
if(code EQUAL 0)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env ${environment} "${go}" build -o "${out}" . WORKING_DIRECTORY "${source}"
                  COMMAND_ERROR_IS_FATAL ANY)
else()
  string(REGEX REPLACE "\n.*" "" said "${said}")
  message(STATUS "bench: etcd's client in Go is left out: ${said}")
endif()
file(TOUCH "${out}.built")
