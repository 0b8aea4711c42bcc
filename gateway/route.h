// Which backend serves which method, read from the protos' descriptors: no list of methods is
// written a second time.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace rawgate::gateway {

// The services that the gateway forwards, at least one for each backend.
const std::vector<const google::protobuf::ServiceDescriptor*>& ForwardedServices();

// The backend that serves `service`: the area of its package, "echo" for
// rawgate.echo.v1.EchoService; "file" for google.bytestream.ByteStream.
std::string BackendOf(const google::protobuf::ServiceDescriptor& service);

// One message each way.
bool IsUnary(const google::protobuf::MethodDescriptor& method);
// Its `idempotency_level` says that calling it twice is as good as once.
bool IsIdempotent(const google::protobuf::MethodDescriptor& method);
// UNIMPLEMENTED (UNKNOWN_METHOD).
absl::Status UnknownMethodError(absl::string_view path);

struct Route {
  const google::protobuf::MethodDescriptor* method;
  // Index in the names given to the table.
  size_t backend;
  bool unary;
  // Follows something without an end of its own (a server stream named Watch...): ended first when
  // the gateway drains.
  bool watch;
};

// Immutable, so any thread.
class RouteTable {
 public:
  // For those forwarded services whose backend is among `backends`.
  explicit RouteTable(const std::vector<std::string>& backends);

  // The route of "/rawgate.echo.v1.EchoService/Echo". Error: UNIMPLEMENTED (UNKNOWN_METHOD).
  absl::StatusOr<const Route*> Find(absl::string_view path) const;

 private:
  absl::flat_hash_map<std::string, Route> routes_;
};

}  // namespace rawgate::gateway
