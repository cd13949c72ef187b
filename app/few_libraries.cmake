# To start is most of what `mortise lock` costs, and shared libraries are half of that (docs/decisions/command-lock.md). So the command has
# the C++ library, fmt and Boost.Context in itself, where all of them are to be had: fmt 9 is what Debian 12 and Ubuntu 24.04 have.

include(CheckLinkerFlag)

function(mortise_link_few_libraries target)
  set(MORTISE_FEW_LIBRARIES 0 PARENT_SCOPE)
  if(BUILD_SHARED_LIBS OR CMAKE_CXX_FLAGS MATCHES "-fsanitize" OR NOT fmt_VERSION MATCHES "^9\\.")
    return()
  endif()
  check_linker_flag(CXX "-static-libstdc++" MORTISE_HAS_STATIC_LIBSTDCXX)
  foreach(config "" _RELEASE _NONE _NOCONFIG)
    get_target_property(shared Boost::context IMPORTED_LOCATION${config})
    if(shared)
      break()
    endif()
  endforeach()
  get_filename_component(folder "${shared}" DIRECTORY)
  set(context "${folder}/libboost_context.a")
  if(NOT MORTISE_HAS_STATIC_LIBSTDCXX OR NOT EXISTS "${context}")
    return()
  endif()
  target_sources(${target} PRIVATE "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/format_library.cpp")
  # What stands first is taken, and of the shared ones that come after nothing is needed any more.
  target_link_libraries(${target} PRIVATE "$<LINK_LIBRARY:WHOLE_ARCHIVE,${context}>")
  target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc -Wl,--as-needed)
  set(MORTISE_FEW_LIBRARIES 1 PARENT_SCOPE)
endfunction()
