// A service process's internal gRPC server.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "runtime/net/endpoint.h"

namespace rawgate::rpc {

// Largest message either way; chunks of data are at most kChunkBytes.
inline constexpr int kMessageBytesMax = 4 << 20;
inline constexpr size_t kChunkBytes = 256 << 10;
// What the sender of one call may send ahead, beyond the message that is being read. Fixed, with
// gRPC's own estimate of the way (GRPC_ARG_HTTP2_BDP_PROBE) off: over loopback that comes to tens
// of megabytes for each call whose reader is slow.
inline constexpr int kLookaheadBytes = 1 << 20;
// Headers and trailers of one call, as HTTP/2 counts them. Between our own processes only: at the
// front door the limit is 8 KiB.
inline constexpr int kBackendMetadataBytesMax = 64 << 10;

// What a server holds of messages on their way, unless configured. This gRPC looks at a message's
// size when it has all of it; without a bound, one of 1 GB would take 1 GB. It is no hard one: what
// comes while gRPC decides whom to take memory from is beyond it. And it is not to be met by many
// that do nothing wrong, as gRPC then ends calls: 64 uploads at once hold some 200 MiB.
inline constexpr size_t kBuffersMax = 512 << 20;

struct CallObservation;

class Server {
 public:
  // Serves `services`, which outlive this object, and grpc.health.v1.Health. Port 0 picks one.
  // Calls are counted and logged as `observation` says, if there is one.
  // Error: FAILED_PRECONDITION (BIND_FAILED).
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      const net::Endpoint& address, const std::vector<grpc::Service*>& services,
      size_t buffers_max = kBuffersMax,
      const std::shared_ptr<grpc::ServerCredentials>& credentials =
          grpc::InsecureServerCredentials(),
      const CallObservation* observation = nullptr);
  ~Server();

  // As bound.
  const std::string& uri() const { return uri_; }
  // What the health service answers, for the whole process.
  void SetServing(bool serving);
  // Refuses new calls, waits for those in progress until `deadline`, then cancels them and waits
  // for that.
  void Shutdown(absl::Time deadline);

 private:
  Server() = default;
  std::unique_ptr<grpc::Server> server_;
  std::string uri_;
};

// "127.0.0.1:50061" or "unix:/path": how gRPC writes `endpoint` as a target or as an address to
// listen on.
std::string GrpcAddress(const net::Endpoint& endpoint);

// Settings that every gRPC server of ours shares: message limit, no compressed messages
// (UNIMPLEMENTED), keepalive pings sent, and welcome every 20 s, health service, no port sharing (a
// second server on the same port must fail).
void ConfigureServer(grpc::ServerBuilder& builder, size_t buffers_max);

}  // namespace rawgate::rpc
