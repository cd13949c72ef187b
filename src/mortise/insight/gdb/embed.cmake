# The script for gdb, in one file, as a part of mortise::task: gdb loads it with the program.

set(MORTISE_GDB_SCRIPT "${CMAKE_CURRENT_BINARY_DIR}/mortise_gdb.py")
file(GLOB parts CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/*.py")
add_custom_command(
  OUTPUT "${MORTISE_GDB_SCRIPT}"
  COMMAND "${CMAKE_COMMAND}" "-Dout=${MORTISE_GDB_SCRIPT}" -P "${CMAKE_CURRENT_LIST_DIR}/join.cmake"
  DEPENDS ${parts} "${CMAKE_CURRENT_LIST_DIR}/join.cmake"
  COMMENT "Joining the script for gdb" VERBATIM)
set_source_files_properties(mortise/task/gdb_view.cpp PROPERTIES
  OBJECT_DEPENDS "${MORTISE_GDB_SCRIPT}"
  COMPILE_DEFINITIONS "MORTISE_GDB_SCRIPT=\"${MORTISE_GDB_SCRIPT}\"")
