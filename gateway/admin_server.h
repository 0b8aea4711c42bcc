// --admin_listen: a gRPC server for whoever looks after the gateway. channelz (gRFC A14) tells of
// what gRPC's library does in this process: the server of the gateway's own services, and the
// channels of control to services. Clients are ListConnections' to show. It shows addresses and is
// asked by whole tables, so that it is not served at the front door.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/server.h"
#include "runtime/net/endpoint.h"

namespace rawgate::gateway {

class AdminServer {
 public:
  // Serves grpc.channelz.v1.Channelz and grpc.health.v1.Health, whose answer is that the process
  // runs. Every gRPC server that the process starts later serves channelz as well, so that this is
  // to be the last. Errors: INVALID_ARGUMENT (BAD_LISTEN), FAILED_PRECONDITION (INSECURE_BIND: off
  // loopback, which no flag permits; BIND_FAILED).
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(const net::Endpoint& address);
  // The same of --admin_listen; null where that is empty.
  static absl::StatusOr<std::unique_ptr<AdminServer>> StartIfWanted(const std::string& uri);
  ~AdminServer();

  // As bound.
  const std::string& uri() const { return uri_; }

 private:
  AdminServer() = default;
  std::unique_ptr<grpc::Server> server_;
  std::string uri_;
};

}  // namespace rawgate::gateway
