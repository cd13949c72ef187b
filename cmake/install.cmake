# What an installed mortise is: libraries, headers below mortise/, a CMake package, pkg-config files, the command.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/mortise")

# An export set for each component, so that who asks for `lock` or `shm` needs no Boost.
install(TARGETS mortise_lock EXPORT mortise_lock FILE_SET HEADERS)
install(TARGETS mortise_asio EXPORT mortise_lock FILE_SET HEADERS FILE_SET included)
install(EXPORT mortise_lock NAMESPACE mortise:: DESTINATION "${package_dir}" FILE mortise-lock.cmake)
install(TARGETS mortise_shm EXPORT mortise_shm FILE_SET HEADERS)
install(EXPORT mortise_shm NAMESPACE mortise:: DESTINATION "${package_dir}" FILE mortise-shm.cmake)
if(TARGET mortise_cluster)
  install(TARGETS mortise_cluster EXPORT mortise_cluster FILE_SET HEADERS FILE_SET json)
  install(EXPORT mortise_cluster NAMESPACE mortise:: DESTINATION "${package_dir}" FILE mortise-cluster.cmake)
endif()
if(TARGET mortise_cluster_etcd)
  install(TARGETS mortise_cluster_etcd EXPORT mortise_cluster_etcd FILE_SET HEADERS)
  install(EXPORT mortise_cluster_etcd NAMESPACE mortise:: DESTINATION "${package_dir}" FILE mortise-cluster_etcd.cmake)
endif()
if(MORTISE_BUILD_TASK)
  install(TARGETS mortise_task mortise_insight mortise_mortise EXPORT mortise_task FILE_SET HEADERS)
  install(EXPORT mortise_task NAMESPACE mortise:: DESTINATION "${package_dir}" FILE mortise-task.cmake)
endif()
if(TARGET mortise_insight)
  install(TARGETS mortise_insight EXPORT mortise_insight FILE_SET HEADERS)
  install(EXPORT mortise_insight NAMESPACE mortise:: DESTINATION "${package_dir}" FILE mortise-insight.cmake)
endif()

# One that is shared finds those it stands on beside it: who links to mortise::shm alone has no path to mortise_lock.
foreach(library shm cluster cluster_etcd task insight)
  if(TARGET mortise_${library})
    set_target_properties(mortise_${library} PROPERTIES INSTALL_RPATH "$ORIGIN")
  endif()
endforeach()

if(MORTISE_BUILD_TASK)  # for programs whose section .debug_gdb_scripts was stripped
  install(FILES "${PROJECT_BINARY_DIR}/src/mortise_gdb.py" DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/mortise")
endif()

if(TARGET mortise)  # the command; it finds shared libraries beside it
  file(RELATIVE_PATH libraries "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
  set_target_properties(mortise PROPERTIES INSTALL_RPATH "$ORIGIN/${libraries}")
  install(TARGETS mortise RUNTIME)
endif()
if(TARGET mortise_cluster_command)  # a part of it
  file(RELATIVE_PATH libraries "/${CMAKE_INSTALL_LIBEXECDIR}/mortise" "/${CMAKE_INSTALL_LIBDIR}")
  set_target_properties(mortise_cluster_command PROPERTIES INSTALL_RPATH "$ORIGIN/${libraries}")
  install(TARGETS mortise_cluster_command RUNTIME DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/mortise")
endif()

# A static one asks for zlib too.
set(mortise_insight_needs_zlib 0)
if(mortise_has_pprof AND NOT BUILD_SHARED_LIBS)
  set(mortise_insight_needs_zlib 1)
endif()

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/mortise-config.cmake.in" "${PROJECT_BINARY_DIR}/mortise-config.cmake"
  INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/mortise-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/mortise-config.cmake" "${PROJECT_BINARY_DIR}/mortise-config-version.cmake"
        DESTINATION "${package_dir}")

include("${CMAKE_CURRENT_LIST_DIR}/pkg_config.cmake")
