#pragma once

#include <string>
#include <vector>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::cluster::etcd {

inline grpc::ByteBuffer buffer_of(const std::string& bytes) {
  const grpc::Slice slice{bytes};
  return {&slice, 1};
}

inline std::string bytes_of(const grpc::ByteBuffer& b) {
  std::vector<grpc::Slice> slices;
  std::string all;
  if (!b.Dump(&slices).ok()) return all;
  all.reserve(b.Length());
  for (const grpc::Slice& s : slices) all.append(reinterpret_cast<const char*>(s.begin()), s.size());
  return all;
}

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
