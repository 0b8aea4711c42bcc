#include "gateway/gateway_server.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gateway/call_shares.h"
#include "gateway/reflection.h"
#include "grpcpp/create_channel_posix.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_posix.h"
#include "grpcpp/support/channel_arguments.h"
#include "runtime/base/status.h"
#include "runtime/host/certificate_metrics.h"
#include "runtime/metrics/process_metrics.h"
#include "runtime/rpc/call_interceptor.h"
#include "runtime/rpc/control_messages.h"
#include "runtime/rpc/server.h"

namespace rawgate::gateway {
namespace {

// After the grace every call is cancelled; how long the server then waits for their last words.
constexpr absl::Duration kLastWords = absl::Seconds(1);
constexpr absl::Duration kAccessFileLookEach = absl::Seconds(1);

std::vector<std::shared_ptr<UpstreamSet>> UpstreamsOf(const BackendTable& table) {
  std::vector<std::shared_ptr<UpstreamSet>> upstreams;
  for (const auto& backend : table.backends()) upstreams.push_back(backend->upstreams());
  return upstreams;
}

size_t Reachable(const std::vector<std::shared_ptr<Replica>>& replicas) {
  return static_cast<size_t>(std::count_if(
      replicas.begin(), replicas.end(), [](const auto& replica) { return replica->reachable(); }));
}

}  // namespace

GatewayServer::GatewayServer(const Options& options, std::unique_ptr<AccessStore> access)
    : access_(std::move(access)),
      gate_(access_.get()),
      forwarder_options_(options.forwarder),
      books_(options.forwarder.lanes, options.calls_level),
      table_(options.backends, options.reach),
      clients_(options.clients),
      control_(table_, clients_.connections(), drain_, books_, options.forwarder.unary_ceiling),
      reflection_(MakeReflectionServicers()),
      forwarder_(UpstreamsOf(table_), options.forwarder, options.limits, options.tls, drain_,
                 books_, gate_, clients_.connections()) {
  metrics_.Add([this](metrics::Page& page) { AddMetrics(page); });
  host::AddCertificate(metrics_);
}

GatewayServer::~GatewayServer() = default;

absl::Status GatewayServer::Check(const Options& options) {
  if (options.addresses.empty())
    return FieldError("listen", "BAD_LISTEN", "--listen names no address");
  for (const net::Endpoint& address : options.addresses) {
    if (address.transport() == net::Transport::kTls) {
      return FieldError("listen", "BAD_LISTEN",
                        "--listen: with --tls_certificate, tcp:// addresses speak TLS; give one");
    }
    if (!net::IsDatagram(address.transport())) continue;
    return FieldError("listen", "BAD_LISTEN",
                      absl::StrCat("--listen: gRPC is not served over ", address.ToUri()));
  }
  if (options.forwarder.unary_ceiling > absl::ZeroDuration()) return absl::OkStatus();
  return FieldError("unary_ceiling", "BAD_OPTION", "--unary_ceiling must be positive");
}

absl::StatusOr<std::unique_ptr<GatewayServer>> GatewayServer::Start(const Options& options) {
  if (absl::Status checked = Check(options); !checked.ok()) return checked;
  std::unique_ptr<AccessStore> access;
  if (!options.access_file.empty()) {
    auto opened = AccessStore::Open(options.access_file, kAccessFileLookEach);
    if (!opened.ok()) return opened.status();
    access = *std::move(opened);
  }
  std::unique_ptr<GatewayServer> gateway(new GatewayServer(options, std::move(access)));
  if (absl::Status bound = gateway->Bind(options); !bound.ok()) return bound;
  if (absl::Status serving = gateway->Serve(); !serving.ok()) return serving;
  gateway->health_ =
      std::make_unique<HealthReport>(gateway->table_, *gateway->server_->GetHealthCheckService());
  gateway->table_.Start();
  return gateway;
}

absl::Status GatewayServer::Bind(const Options& options) {
  for (size_t i = 0; i < options.addresses.size(); ++i) {
    const std::string name = i < options.names.size() ? options.names[i] : "grpc";
    absl::Status bound = clients_.Listen(name, options.addresses[i], options.tls != nullptr);
    if (!bound.ok()) return bound;
  }
  return absl::OkStatus();
}

bool GatewayServer::StartServer() {
  grpc::ServerBuilder builder;
  rpc::ConfigureServer(builder, forwarder_options_.buffers_max);
  books_.Observe(builder, rpc::CallerNamedByGateway);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, rpc::kBackendMetadataBytesMax);
  builder.RegisterService(&control_);
  for (const auto& servicer : reflection_) builder.RegisterService(servicer.get());
  server_ = builder.BuildAndStart();
  return server_ != nullptr;
}

absl::Status GatewayServer::Serve() {
  if (!StartServer())
    return Error(absl::StatusCode::kFailedPrecondition, "BIND_FAILED", "cannot serve gRPC");
  forwarder_.Start([this](Fd fd) { grpc::AddInsecureChannelFromFd(server_.get(), fd.Release()); });
  absl::Status accepting = clients_.Start([this](Fd fd, const ClientConnection& client) {
    forwarder_.Adopt(std::move(fd),
                     {.id = client.id, .peer = client.peer, .source = SourceHolderOf(client.peer)},
                     client.traffic);
  });
  if (!accepting.ok()) {
    forwarder_.EndAll();
    forwarder_.Stop(absl::ZeroDuration());
    server_->Shutdown();
  }
  return accepting;
}

void GatewayServer::AddMetrics(metrics::Page& page) const {
  metrics::AddBuildInfo(page, "gateway", rpc::Version());
  metrics::AddProcess(page);
  books_.AddTo(page);
  page.AddGauge("rawgate_gateway_calls", "Calls in progress, but for watches of ControlService.",
                {}, static_cast<double>(drain_.calls()));
  page.AddGauge("rawgate_gateway_calls_max", "Calls that may be in progress.", {},
                static_cast<double>(forwarder_options_.calls_max));
  page.AddGauge("rawgate_gateway_draining", "Whether the gateway is going.", {},
                drain_.Begun() ? 1 : 0);
  for (const auto& [name, counts] : clients_.connections().CountsByListener()) {
    const metrics::Labels labels = {{"service", "gateway"}, {"listener", name}};
    page.AddCounter("rawgate_listener_connections_opened_total", "Connections that were accepted.",
                    labels, static_cast<double>(counts.opened));
    page.AddGauge("rawgate_listener_connections", "Connections that are open.", labels,
                  static_cast<double>(counts.open));
    // Which all listeners share.
    page.AddGauge("rawgate_listener_connections_max", "Connections that may be open.", labels,
                  static_cast<double>(clients_.limits().connections_max));
  }
  for (const auto& backend : table_.backends()) {
    const auto replicas = backend->replicas();
    const size_t up = Reachable(replicas);
    page.AddGauge("rawgate_backend_up", "Whether a replica of the service answers the gateway.",
                  {{"service", backend->name()}}, up > 0 ? 1 : 0);
    page.AddGauge("rawgate_backend_replicas", "Replicas of the service that are known.",
                  {{"service", backend->name()}}, static_cast<double>(replicas.size()));
    page.AddGauge("rawgate_backend_replicas_up", "Replicas of the service that answer the gateway.",
                  {{"service", backend->name()}}, static_cast<double>(up));
  }
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> GatewayServer::ChannelWithin() {
  absl::StatusOr<Fd> fd = forwarder_.ConnectWithin();
  if (!fd.ok()) return fd.status();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(rpc::kMessageBytesMax);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, rpc::kBackendMetadataBytesMax);
  // There is no way to connect again, and no need.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return grpc::CreateCustomInsecureChannelFromFd("gateway", fd->Release(), arguments);
}

std::vector<std::string> GatewayServer::UnreachableBackends() const {
  std::vector<std::string> names;
  for (const auto& backend : table_.backends()) {
    if (Reachable(backend->replicas()) == 0) names.push_back(backend->name());
  }
  return names;
}

void GatewayServer::Stop(absl::Duration grace) {
  forwarder_.AskToGo();
  health_->End();
  drain_.Begin();
  control_.EndWatches();
  forwarder_.EndWatches();
  drain_.WaitUntilIdle(grace);
  clients_.Stop();
  forwarder_.EndAll();
  control_.EndCalls();
  server_->Shutdown(absl::ToChronoTime(absl::Now() + kLastWords));
  forwarder_.Stop(kLastWords);
  health_.reset();
  table_.Stop();
}

}  // namespace rawgate::gateway
