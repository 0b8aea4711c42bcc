#include "gateway/admin_server.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/ext/channelz_service_plugin.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "runtime/base/status.h"
#include "runtime/rpc/server.h"

namespace rawgate::gateway {
namespace {

constexpr size_t kBuffersMax = 16 << 20;
constexpr int kCallsPerConnectionMax = 16;

}  // namespace

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const net::Endpoint& address) {
  if (net::IsDatagram(address.transport())) {
    return FieldError("admin_listen", "BAD_LISTEN",
                      absl::StrCat("--admin_listen: gRPC is not served over ", address.ToUri()));
  }
  if (!address.IsLoopback()) {
    return Error(absl::StatusCode::kFailedPrecondition, "INSECURE_BIND",
                 absl::StrCat("--admin_listen: ", address.ToUri(),
                              " is reachable from other machines; give a loopback or a unix:// "
                              "address"));
  }
  grpc::channelz::experimental::InitChannelzService();
  grpc::ServerBuilder builder;
  rpc::ConfigureServer(builder, kBuffersMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kCallsPerConnectionMax);
  int port = 0;
  builder.AddListeningPort(rpc::GrpcAddress(address), grpc::InsecureServerCredentials(), &port);
  std::unique_ptr<AdminServer> admin(new AdminServer);
  admin->server_ = builder.BuildAndStart();
  if (admin->server_ == nullptr || port == 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "BIND_FAILED",
                 absl::StrCat("cannot serve gRPC on ", address.ToUri(),
                              " (if another program has the port, `ss -ltnp` shows which)"));
  }
  net::Endpoint bound = address;
  if (bound.transport() != net::Transport::kUnix) bound.set_port(static_cast<uint16_t>(port));
  admin->uri_ = bound.ToUri();
  return admin;
}

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::StartIfWanted(const std::string& uri) {
  if (uri.empty()) return nullptr;
  const absl::StatusOr<net::Endpoint> address = net::Endpoint::Parse(uri);
  if (address.ok()) return Start(*address);
  return FieldError("admin_listen", "BAD_LISTEN",
                    absl::StrCat("--admin_listen: ", address.status().message()));
}

AdminServer::~AdminServer() {
  if (server_ != nullptr) server_->Shutdown(absl::ToChronoTime(absl::Now()));
}

}  // namespace rawgate::gateway
