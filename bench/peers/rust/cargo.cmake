# cmake -Daction=build|test -Dcargo= -Dsource= -Dbinary= -Dcontenders=A,B -P cargo.cmake
#
# Without the registry there are no crates: that is no failure of the build. Everything that cargo makes is below `binary`.

set(ENV{CARGO_TARGET_DIR} "${binary}/target")
set(ENV{CARGO_TERM_PROGRESS_WHEN} never)

execute_process(COMMAND "${cargo}" fetch --locked --quiet WORKING_DIRECTORY "${source}"
                RESULT_VARIABLE fetched ERROR_VARIABLE why)
if(NOT fetched EQUAL 0)
  execute_process(COMMAND "${cargo}" fetch --locked --quiet --offline WORKING_DIRECTORY "${source}"
                  RESULT_VARIABLE fetched ERROR_QUIET)
endif()
if(NOT fetched EQUAL 0)
  string(REGEX REPLACE "\n.*" "" why "${why}")
  message("bench: the crates cannot be fetched (${why}), the peers in Rust are left out")
  return()
endif()

execute_process(COMMAND "${cargo}" ${action} --release --locked --offline --quiet
                WORKING_DIRECTORY "${source}" RESULT_VARIABLE done)
if(NOT done EQUAL 0)
  message(FATAL_ERROR "cargo ${action} failed")
endif()
if(action STREQUAL "build")
  string(REPLACE "," ";" contenders "${contenders}")
  foreach(contender IN LISTS contenders)
    file(COPY_FILE "${binary}/target/release/${contender}" "${binary}/${contender}" ONLY_IF_DIFFERENT)
    file(TOUCH "${binary}/${contender}")
  endforeach()
endif()
