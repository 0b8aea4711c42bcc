// The methods that a gRPC server serves, numbered, so that what is kept of each is an array.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace rawgate::rpc {

// Immutable, so any thread.
class MethodList {
 public:
  struct Row {
    // "rawgate.echo.v1.EchoService", "Echo".
    std::string service;
    std::string method;
    // "unary", "client_stream", "server_stream" or "bidi_stream".
    absl::string_view type;
  };

  // Those of `services`, and of grpc.health.v1.Health, which every server of ours has.
  explicit MethodList(const std::vector<const google::protobuf::ServiceDescriptor*>& services);

  // The last row stands for whatever else clients ask for; its names are "unknown".
  const std::vector<Row>& rows() const { return rows_; }
  size_t unknown() const { return rows_.size() - 1; }

  // The number of "/rawgate.echo.v1.EchoService/Echo", or unknown().
  size_t Find(absl::string_view path) const;

 private:
  void Add(absl::string_view service, absl::string_view method, absl::string_view type);

  std::vector<Row> rows_;
  absl::flat_hash_map<std::string, size_t> numbers_;
};

// The services of ours whose descriptors are part of this program: in a service process its own
// and ControlService.
std::vector<const google::protobuf::ServiceDescriptor*> LinkedServices();

}  // namespace rawgate::rpc
