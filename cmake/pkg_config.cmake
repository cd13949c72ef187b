# mortise-lock.pc, mortise-shm.pc, mortise-cluster.pc, mortise-cluster-etcd.pc and mortise.pc, relocatable with the installation.

set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
file(RELATIVE_PATH pc_prefix "/${pc_dir}" "/")
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
set(pc_define)
if(MORTISE_CHECKED)
  set(pc_define " -DMORTISE_CHECKED=1")
endif()
if(MORTISE_CHAOS)
  string(APPEND pc_define " -DMORTISE_CHAOS=1")
endif()

function(mortise_pkg_config name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DESCRIPTION;REQUIRES;LIBS" "")
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY CONTENT [[
prefix=${pcfiledir}/@pc_prefix@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@

Name: @name@
Description: @arg_DESCRIPTION@
Version: @PROJECT_VERSION@
Requires: @arg_REQUIRES@
Cflags: -I${includedir}@pc_define@
Libs: -L${libdir} @arg_LIBS@
]])
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${pc_dir}")
endfunction()

mortise_pkg_config(mortise-lock
  DESCRIPTION "One mutex for coroutines, fibers and threads (C++20)"
  LIBS "-lmortise_lock -pthread")

mortise_pkg_config(mortise-shm
  DESCRIPTION "One mutex for processes, and a value that a killed one cannot spoil (C++20)"
  REQUIRES mortise-lock
  LIBS "-lmortise_shm")

if(TARGET mortise_cluster)
  mortise_pkg_config(mortise-cluster
    DESCRIPTION "One mutex for machines, on a consensus store (C++20)"
    REQUIRES mortise-lock
    LIBS "-lmortise_cluster")
endif()
if(TARGET mortise_cluster_etcd)
  # A shared one brings gRPC along.
  set(pc_grpc)
  if(NOT BUILD_SHARED_LIBS)
    list(TRANSFORM mortise_grpc PREPEND "-l" REGEX "^[^/]" OUTPUT_VARIABLE pc_grpc)
    list(JOIN pc_grpc " " pc_grpc)
    set(pc_grpc " ${pc_grpc}")
  endif()
  mortise_pkg_config(mortise-cluster-etcd
    DESCRIPTION "The consensus store of mortise-cluster: etcd, by gRPC (C++20)"
    REQUIRES mortise-cluster
    LIBS "-lmortise_cluster_etcd${pc_grpc}")
endif()

if(MORTISE_BUILD_TASK)
  # A shared libmortise_task brings its Boost.Context along; with a static one the program links it.
  set(pc_boost)
  if(NOT BUILD_SHARED_LIBS)
    set(pc_boost " -lboost_context")
    foreach(config "" _RELEASE _NONE _NOCONFIG)
      get_target_property(location Boost::context IMPORTED_LOCATION${config})
      if(location)
        break()
      endif()
    endforeach()
    get_filename_component(boost_dir "${location}" DIRECTORY)
    if(NOT boost_dir IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
      set(pc_boost " -L${boost_dir} -lboost_context")
    endif()
  endif()
  mortise_pkg_config(mortise
    DESCRIPTION "One mutex for coroutines, fibers and threads, and a runtime for them (C++20)"
    REQUIRES mortise-lock
    LIBS "-lmortise_insight -lmortise_task${pc_boost}")
endif()
