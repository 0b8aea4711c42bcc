#include "gateway/gateway_server.h"

#include <algorithm>
#include <climits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gateway/call_origin.h"
#include "gateway/reflection.h"
#include "gateway/transport_guard.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/channel_arguments.h"
#include "runtime/base/status.h"
#include "runtime/host/certificate_metrics.h"
#include "runtime/metrics/process_metrics.h"
#include "runtime/rpc/control_messages.h"
#include "runtime/rpc/server.h"

namespace rawgate::gateway {
namespace {

// After the grace every call is cancelled; how long the server then waits for their last words.
constexpr absl::Duration kLastWords = absl::Seconds(1);
constexpr absl::Duration kAccessFileLookEach = absl::Seconds(1);

// As gRPC's arguments have them.
int Milliseconds(absl::Duration duration) {
  const int64_t count = absl::ToInt64Milliseconds(duration);
  return static_cast<int>(std::clamp<int64_t>(count, 1, INT_MAX));
}

std::vector<ForwardingBackend> ForwardingBackends(const BackendTable& table) {
  std::vector<ForwardingBackend> backends;
  for (const auto& backend : table.backends())
    backends.push_back({backend->name(), backend->channels()});
  return backends;
}

size_t Reachable(const std::vector<std::shared_ptr<Replica>>& replicas) {
  return static_cast<size_t>(std::count_if(
      replicas.begin(), replicas.end(), [](const auto& replica) { return replica->reachable(); }));
}

}  // namespace

GatewayServer::GatewayServer(const Options& options, std::unique_ptr<AccessStore> access)
    : access_(std::move(access)),
      gate_(access_.get(),
            [this](absl::string_view grpc_peer, const std::string& user) {
              clients_.connections().SetUser(grpc_peer, user);
            }),
      forwarder_options_(options.forwarder),
      books_(options.forwarder.lanes, options.calls_level),
      table_(options.backends, options.reach),
      clients_(options.clients),
      control_(table_, clients_.connections(), drain_, books_, gate_,
               options.forwarder.unary_ceiling),
      reflection_(MakeReflectionServicers(gate_)),
      forwarder_(ForwardingBackends(table_), options.forwarder, drain_, books_, gate_) {
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
  if (absl::Status serving = gateway->Serve(options); !serving.ok()) return serving;
  gateway->health_ =
      std::make_unique<HealthReport>(gateway->table_, *gateway->server_->GetHealthCheckService());
  gateway->table_.Start();
  if (gateway->access_ != nullptr) {
    auto& control = gateway->control_;
    gateway->access_->OnChange([&control] { control.EndForbiddenWatches(); });
    // Of those that were there before the hook.
    control.EndForbiddenWatches();
  }
  return gateway;
}

absl::Status GatewayServer::Bind(const Options& options) {
  for (size_t i = 0; i < options.addresses.size(); ++i) {
    const std::string name = i < options.names.size() ? options.names[i] : "grpc";
    absl::Status bound = clients_.Listen(name, options.addresses[i], options.tls);
    if (!bound.ok()) return bound;
  }
  return absl::OkStatus();
}

absl::Status GatewayServer::Serve(const Options& options) {
  if (absl::Status guarded = CheckTransportGuard(); !guarded.ok()) return guarded;
  grpc::ServerBuilder builder;
  rpc::ConfigureServer(builder, options.buffers_max);
  books_.Observe(builder, [this](const grpc::ServerContextBase& call) {
    return rpc::CallObservation::Caller{.peer = PeerOf(call), .user = gate_.CallerOf(call).name};
  });
  using From = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  handover_ =
      builder.experimental().AddExternalConnectionAcceptor(From::FROM_FD, options.credentials);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kCallsPerConnectionMax);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             Milliseconds(options.handshake_timeout));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, Milliseconds(options.idle_timeout));
  builder.RegisterService(&control_);
  for (const auto& servicer : reflection_) builder.RegisterService(servicer.get());
  forwarder_.Register(builder);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) {
    return Error(absl::StatusCode::kFailedPrecondition, "BIND_FAILED", "cannot serve gRPC");
  }
  forwarder_.Start();
  absl::Status accepting = clients_.Start([this](int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd;
    handover_->HandleNewConnection(&connection);
  });
  if (!accepting.ok()) {
    server_->Shutdown();
    forwarder_.Stop();
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

std::shared_ptr<grpc::Channel> GatewayServer::InProcessChannel() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(rpc::kMessageBytesMax);
  return server_->InProcessChannel(arguments);
}

std::vector<std::string> GatewayServer::UnreachableBackends() const {
  std::vector<std::string> names;
  for (const auto& backend : table_.backends()) {
    if (Reachable(backend->replicas()) == 0) names.push_back(backend->name());
  }
  return names;
}

void GatewayServer::Stop(absl::Duration grace) {
  drain_.Begin();
  if (access_ != nullptr) access_->OnChange(nullptr);
  health_->End();
  control_.EndWatches();
  forwarder_.EndWatches();
  drain_.WaitUntilIdle(grace);
  forwarder_.EndAll();
  control_.EndCalls();
  clients_.Stop();
  server_->Shutdown(absl::ToChronoTime(absl::Now() + kLastWords));
  forwarder_.Stop();
  health_.reset();
  table_.Stop();
}

}  // namespace rawgate::gateway
