#include "runtime/rpc/server.h"

#include <unistd.h>

#include <grpc/grpc.h>

#include "absl/strings/str_cat.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/server_builder.h"
#include "runtime/base/status.h"
#include "runtime/rpc/call_interceptor.h"

namespace rawgate::rpc {

std::string GrpcAddress(const net::Endpoint& endpoint) {
  return endpoint.transport() == net::Transport::kUnix ? absl::StrCat("unix:", endpoint.path())
                                                       : endpoint.HostPort();
}

void ConfigureServer(grpc::ServerBuilder& builder, size_t buffers_max) {
  // Keeps gRPC initialised until the process exits. Its shutdown, which otherwise comes with the
  // last server or channel, joins a thread that may sit in a poll of up to 10 s.
  static const bool initialised = (grpc_init(), true);
  static_cast<void>(initialised);
  // Read by the builder; the health service is part of the server from then on.
  grpc::EnableDefaultHealthCheckService(true);
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  // This gRPC inflates a whole message before it looks at its size: 300 KB would become 300 MB.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  // Then its filters are of no use, and each message takes a shorter way.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  grpc::ResourceQuota quota("rawgate");
  quota.Resize(buffers_max);
  builder.SetResourceQuota(quota);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLookaheadBytes);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  // Finds out about a client that went without a word, or that is frozen.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  // However long nothing else is sent.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    const net::Endpoint& address, const std::vector<grpc::Service*>& services, size_t buffers_max,
    const std::shared_ptr<grpc::ServerCredentials>& credentials,
    const CallObservation* observation) {
  grpc::ServerBuilder builder;
  ConfigureServer(builder, buffers_max);
  if (observation != nullptr) ObserveCalls(builder, *observation);
  // More than the gateway lets in at its own door, so that nothing that passes there, with what it
  // adds, ends the connection that all of its clients share.
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kBackendMetadataBytesMax);
  int port = 0;
  builder.AddListeningPort(GrpcAddress(address), credentials, &port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  auto server = std::unique_ptr<Server>(new Server);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || port == 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "BIND_FAILED",
                 absl::StrCat("cannot serve gRPC on ", address.ToUri(),
                              " (if another program has the port, `ss -ltnp` shows which)"));
  }
  net::Endpoint bound = address;
  if (address.transport() != net::Transport::kUnix) bound.set_port(static_cast<uint16_t>(port));
  server->uri_ = bound.ToUri();
  server->SetServing(false);
  return server;
}

Server::~Server() = default;

void Server::SetServing(bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(serving);
}

void Server::Shutdown(absl::Time deadline) { server_->Shutdown(absl::ToChronoTime(deadline)); }

}  // namespace rawgate::rpc
