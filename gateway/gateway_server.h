// The gateway as a whole: what it is made of, and the order in which that starts and stops.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/access_gate.h"
#include "gateway/access_store.h"
#include "gateway/backend_table.h"
#include "gateway/call_books.h"
#include "gateway/client_acceptor.h"
#include "gateway/control_servicer.h"
#include "gateway/drain.h"
#include "gateway/forwarder.h"
#include "gateway/health_report.h"
#include "grpcpp/channel.h"
#include "grpcpp/server.h"
#include "runtime/metrics/registry.h"
#include "runtime/net/endpoint.h"
#include "runtime/net/tls_context.h"
#include "runtime/rpc/server.h"

namespace rawgate::gateway {

class GatewayServer {
 public:
  struct Options {
    // All of them serve the same.
    std::vector<net::Endpoint> addresses;
    // Of the listeners, in the same order; "grpc" where there are fewer.
    std::vector<std::string> names = {};
    // As ParseBackends() gives them.
    std::vector<BackendAddress> backends;
    // The way to all of them.
    BackendOptions reach = {};
    ForwarderOptions forwarder = {};
    // At which calls are logged when they have ended.
    spdlog::level::level_enum calls_level = spdlog::level::debug;
    // Who may call, and what: protos/rawgate/access/v1/access_file.proto. Empty: everybody may do
    // everything.
    std::string access_file = {};
    // Of every address. Null: without TLS.
    std::shared_ptr<net::TlsContext> tls = nullptr;
    ClientAcceptor::Limits clients = {};
    ClientLimits limits = {};
  };

  // Serves from when it returns. Errors: INVALID_ARGUMENT (BAD_LISTEN, BAD_OPTION),
  // FAILED_PRECONDITION (BIND_FAILED), RESOURCE_EXHAUSTED (no descriptors), and those of
  // AccessStore::Open().
  static absl::StatusOr<std::unique_ptr<GatewayServer>> Start(const Options& options);
  // Stop() has been called.
  ~GatewayServer();

  // As bound, in the order of Options::addresses.
  const std::vector<std::string>& uris() const { return clients_.uris(); }
  // Those of the access file; 0 without one.
  size_t users() const { return access_ == nullptr ? 0 : access_->Current()->size(); }

  // Of the clients.
  ClientConnections& connections() { return clients_.connections(); }

  // The page /metrics, from any thread.
  std::string MetricsPage() const { return metrics_.Render(); }
  // For further sources, which outlive this object.
  metrics::Registry& metrics() { return metrics_; }
  const AccessGate& gate() const { return gate_; }
  CallBooks& books() { return books_; }
  // To the front door from within, for whoever says himself whom he speaks for: see
  // Forwarder::ConnectWithin(). Errors: RESOURCE_EXHAUSTED.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelWithin();
  // For whoever wants to know that they turn: every loop lets go of its copy of `token`.
  void AskLoops(const std::shared_ptr<void>& token) { forwarder_.AskLoops(token); }
  // Stop() has begun. Any thread.
  bool draining() const { return drain_.Begun(); }
  // Names. Any thread.
  std::vector<std::string> UnreachableBackends() const;

  // Clients are asked to go, health says NOT_SERVING, new calls are refused and watches ended with
  // UNAVAILABLE (DRAINING); calls in progress have `grace`, then they are ended with the same
  // status.
  void Stop(absl::Duration grace);

 private:
  static absl::Status Check(const Options& options);
  GatewayServer(const Options& options, std::unique_ptr<AccessStore> access);
  absl::Status Bind(const Options& options);
  void AddMetrics(metrics::Page& page) const;
  absl::Status Serve();
  // Of the gateway's own services, which are reached by way of the forwarder alone.
  bool StartServer();

  // Null without an access file.
  const std::unique_ptr<AccessStore> access_;
  const AccessGate gate_;
  const ForwarderOptions forwarder_options_;
  Drain drain_;
  CallBooks books_;
  BackendTable table_;
  ClientAcceptor clients_;
  ControlServicer control_;
  std::vector<std::unique_ptr<grpc::Service>> reflection_;
  Forwarder forwarder_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<HealthReport> health_;
  metrics::Registry metrics_;
};

}  // namespace rawgate::gateway
