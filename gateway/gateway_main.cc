// rawgate-gateway: one gRPC front door to all services.
#include "absl/flags/flag.h"
#include "gateway/admin_server.h"
#include "gateway/gateway_access.h"
#include "gateway/gateway_flags.h"
#include "gateway/gateway_server.h"
#include "gateway/http/gateway_http.h"
#include "runtime/base/log.h"
#include "runtime/host/http_flags.h"
#include "runtime/host/process.h"

using rawgate::gateway::AdminServer;
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
  auto options = rawgate::gateway::OptionsFromFlags(process);
  if (!options.ok()) return process.Fail(options.status());
  auto gateway = GatewayServer::Start(*options);
  if (!gateway.ok()) return process.Fail(gateway.status());
  auto http =
      rawgate::gateway::StartGatewayHttp(**gateway, [&] { return (*gateway)->MetricsPage(); });
  if (!http.ok()) return process.Fail(http.status());
  rawgate::gateway::LogExposure(**gateway);
  std::vector<std::pair<std::string, std::string>> listeners;
  for (size_t i = 0; i < options->names.size(); ++i) {
    listeners.emplace_back(options->names[i], (*gateway)->uris()[i]);
  }
  for (auto& listener : rawgate::host::HttpListeners(http->get())) listeners.push_back(listener);
  // Last: see AdminServer.
  auto admin = AdminServer::StartIfWanted(absl::GetFlag(FLAGS_admin_listen));
  const absl::Status ready = admin.ok() ? process.CheckSockets() : admin.status();
  if (!ready.ok()) {
    const int failed = process.Fail(ready);
    (*gateway)->Stop(absl::ZeroDuration());
    return failed;
  }
  if (*admin != nullptr) listeners.emplace_back("admin", (*admin)->uri());
  process.PrintReady("", listeners);
  process.WaitForStopSignal([&](const auto& token) { (*gateway)->AskLoops(token); });
  (*gateway)->Stop(process.grace());
  // All calls have ended; their answers are on the way.
  if (*http != nullptr) (*http)->Stop(absl::Seconds(1));
  return 0;
}
