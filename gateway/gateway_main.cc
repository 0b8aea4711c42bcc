// rawgate-gateway: one gRPC front door to all services.
#include <algorithm>

#include "absl/flags/flag.h"
#include "gateway/gateway_server.h"
#include "gateway/gateway_tls.h"
#include "gateway/http/gateway_http.h"
#include "runtime/base/log.h"
#include "runtime/host/flags.h"
#include "runtime/host/http_flags.h"
#include "runtime/host/process.h"

ABSL_FLAG(
    std::string, backends,
    "echo=127.0.0.1:50061,exec=127.0.0.1:50062,time=127.0.0.1:50063,file=127.0.0.1:50064,"
    "chat=127.0.0.1:50065",
    "Services behind the gateway, as NAME=TARGET,...; a target is any that gRPC knows, such as "
    "unix:///run/rawgate/echo.sock or dns:///echo:50061. Several addresses behind a name, or in a "
    "list (ipv4:10.0.0.3:50061,10.0.0.4:50061), are replicas.");
ABSL_FLAG(absl::Duration, unary_ceiling, absl::Seconds(60),
          "Deadline of forwarded unary calls that come without one.");
ABSL_FLAG(int, lanes, 2, "Threads that forward calls.");
ABSL_FLAG(bool, log_calls, false, "Log each call that has ended at level info, not only at debug.");

using rawgate::gateway::GatewayServer;

int main(int argc, char** argv) {
  rawgate::host::Process process(
      argc, argv,
      {.name = "gateway",
       .default_listen = "grpc=tcp://127.0.0.1:50051",
       .default_rpc_listen = "",
       .default_http_listen = "tcp://127.0.0.1:8088",
       .usage = "One gRPC front door to all rawgate services.\n\n"
                "  rawgate-gateway\n"
                "  rawgate-gateway --backends=echo=127.0.0.1:50061,time=dns:///time:50063\n"});
  GatewayServer::Options options;
  for (const auto& listen : process.listen()) {
    if (absl::Status known = listen.options.Check(); !known.ok()) return process.Fail(known);
    if (absl::Status allowed = rawgate::host::CheckBind(listen.endpoint); !allowed.ok())
      return process.Fail(allowed);
    options.addresses.push_back(listen.endpoint);
  }
  auto backends = rawgate::gateway::ParseBackends(absl::GetFlag(FLAGS_backends));
  if (!backends.ok()) return process.Fail(backends.status());
  options.backends = *std::move(backends);
  options.forwarder.unary_ceiling = absl::GetFlag(FLAGS_unary_ceiling);
  options.buffers_max = absl::GetFlag(FLAGS_rpc_buffers_max_bytes);
  options.forwarder.lanes = std::max(1, absl::GetFlag(FLAGS_lanes));
  if (absl::GetFlag(FLAGS_log_calls)) options.calls_level = spdlog::level::info;
  if (absl::Status tls = rawgate::gateway::AddTlsFromFlags(options); !tls.ok())
    return process.Fail(tls);
  auto gateway = GatewayServer::Start(options);
  if (!gateway.ok()) return process.Fail(gateway.status());
  auto http =
      rawgate::gateway::StartGatewayHttp(**gateway, [&] { return (*gateway)->MetricsPage(); });
  if (!http.ok()) return process.Fail(http.status());
  spdlog::info("no authentication: whoever reaches these addresses may do everything");
  std::vector<std::pair<std::string, std::string>> listeners;
  for (size_t i = 0; i < process.listen().size(); ++i) {
    listeners.emplace_back(process.listen()[i].name, (*gateway)->uris()[i]);
  }
  for (auto& listener : rawgate::host::HttpListeners(http->get())) listeners.push_back(listener);
  process.PrintReady("", listeners);
  process.WaitForStopSignal();
  (*gateway)->Stop(process.grace());
  // All calls have ended; their answers are on the way.
  if (*http != nullptr) (*http)->Stop(absl::Seconds(1));
  return 0;
}
