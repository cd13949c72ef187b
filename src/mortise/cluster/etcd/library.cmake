# mortise::cluster_etcd. Its messages are compiled by protoc alone; its headers are its own but for store.hpp, which needs no gRPC.

set(etcd "${CMAKE_CURRENT_SOURCE_DIR}/mortise/cluster/etcd")
set(wire "${CMAKE_CURRENT_BINARY_DIR}/etcd_wire")
file(MAKE_DIRECTORY "${wire}")
add_custom_command(
  OUTPUT "${wire}/wire.pb.cc" "${wire}/wire.pb.h" DEPENDS "${etcd}/wire.proto" VERBATIM
  COMMAND "${MORTISE_PROTOC}" "--proto_path=${etcd}" "--cpp_out=${wire}" "${etcd}/wire.proto")

add_custom_target(mortise_etcd_wire DEPENDS "${wire}/wire.pb.cc" "${wire}/wire.pb.h")  # for who compiles it elsewhere

mortise_library(cluster_etcd LAYERS cluster/etcd HEADERS mortise/cluster/etcd/store.hpp
  LINK PUBLIC mortise_cluster PRIVATE ${mortise_grpc})
target_sources(mortise_cluster_etcd PRIVATE "${wire}/wire.pb.cc")
add_dependencies(mortise_cluster_etcd mortise_etcd_wire)
set_source_files_properties("${wire}/wire.pb.cc" PROPERTIES COMPILE_OPTIONS -w)
set(includes "${wire}" "${MORTISE_GRPC_INCLUDE}" "${MORTISE_PROTOBUF_INCLUDE}")
target_include_directories(mortise_cluster_etcd SYSTEM PRIVATE ${includes})

# For its tests, which look behind store.hpp.
add_library(mortise_etcd_inside INTERFACE)
target_include_directories(mortise_etcd_inside SYSTEM INTERFACE ${includes})
target_link_libraries(mortise_etcd_inside INTERFACE mortise_cluster_etcd ${mortise_grpc})

function(mortise_etcd_unit_tests)  # of what needs no server
  file(GLOB tests CONFIGURE_DEPENDS "${etcd}/*_test.cpp")
  mortise_tests(cluster mortise_etcd_inside ${tests})
endfunction()
