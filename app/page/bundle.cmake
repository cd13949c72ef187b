# cmake -Dnode= -Dnpm= -Dsource= -Dbinary= -Dpage= -P bundle.cmake
#
# Packages are unpacked below `binary`, with the versions and checksums of package-lock.json; none of their scripts is run.

foreach(name package.json package-lock.json)
  file(COPY_FILE "${source}/${name}" "${binary}/${name}" ONLY_IF_DIFFERENT)
endforeach()
file(SHA256 "${source}/package-lock.json" wanted)
set(fetched "")
if(EXISTS "${binary}/node_modules/fetched")
  file(READ "${binary}/node_modules/fetched" fetched)
endif()
if(NOT fetched STREQUAL wanted)
  execute_process(COMMAND "${npm}" ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1
                  WORKING_DIRECTORY "${binary}" RESULT_VARIABLE done OUTPUT_QUIET ERROR_VARIABLE why)
  if(NOT done EQUAL 0)
    string(REGEX REPLACE "\n.*" "" why "${why}")
    message("page: its packages cannot be fetched (${why}), --report has no page")
    return()
  endif()
  file(WRITE "${binary}/node_modules/fetched" "${wanted}")
endif()

cmake_path(GET page PARENT_PATH folder)
file(MAKE_DIRECTORY "${folder}")
execute_process(COMMAND "${node}" "${source}/build.mjs" "${page}" WORKING_DIRECTORY "${binary}" RESULT_VARIABLE done)
if(NOT done EQUAL 0)
  message(FATAL_ERROR "bundling the page failed")
endif()
