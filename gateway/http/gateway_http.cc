#include "gateway/http/gateway_http.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/gateway_access.h"
#include "gateway/http/connect_handler.h"
#include "gateway/http/page_access.h"
#include "gateway/served_services.h"
#include "runtime/base/instance.h"
#include "runtime/host/http_flags.h"
#include "runtime/host/http_metrics.h"
#include "runtime/http/pages.h"

namespace rawgate::gateway {
namespace {

http::Readiness ReadinessOf(const GatewayServer& gateway) {
  http::Readiness readiness{.ready = !gateway.draining(), .not_serving = {}};
  if (gateway.draining()) readiness.not_serving.push_back({"gateway", "draining"});
  for (const std::string& backend : gateway.UnreachableBackends()) {
    readiness.not_serving.push_back({absl::StrCat("backend ", backend), "unreachable"});
  }
  return readiness;
}

absl::StatusOr<host::HttpSettings> CheckedSettings() {
  absl::StatusOr<host::HttpSettings> settings = host::HttpSettingsFromFlags();
  if (!settings.ok()) return settings;
  for (const net::Endpoint& address : settings->addresses) {
    if (absl::Status allowed = CheckExposure(address); !allowed.ok()) return allowed;
  }
  return settings;
}

std::shared_ptr<const http::Router> MakeRouter(GatewayServer& gateway,
                                               std::shared_ptr<grpc::Channel> channel,
                                               std::function<std::string()> metrics) {
  auto router = std::make_shared<http::Router>();
  http::AddProcessPages({.name = "gateway",
                         .instance = RandomInstance(),
                         .readiness =
                             [&gateway](const std::function<void(http::Readiness)>& answer) {
                               answer(ReadinessOf(gateway));
                             },
                         .metrics = std::move(metrics),
                         .access = PagesFor(gateway.gate())},
                        *router);
  const auto connect = std::make_shared<ConnectHandler>(
      ServedServices(), std::move(channel),
      [&gateway](const http::Request& request, absl::string_view path) {
        absl::Status admitted = AdmitCall(gateway.gate(), request, path);
        if (!admitted.ok()) gateway.books().CountRefusal(admitted);
        return admitted;
      });
  router->AddPrefix("/", [connect](std::shared_ptr<http::Exchange> exchange) {
    connect->Handle(std::move(exchange));
  });
  return router;
}

absl::StatusOr<std::unique_ptr<http::Server>> StartHttp(GatewayServer& gateway,
                                                        std::function<std::string()> metrics) {
  absl::StatusOr<host::HttpSettings> settings = CheckedSettings();
  if (!settings.ok()) return settings.status();
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = gateway.ChannelWithin();
  if (!channel.ok()) return channel.status();
  host::AddHttp("gateway", settings->options.counters, gateway.metrics());
  return host::StartHttp(*std::move(settings),
                         MakeRouter(gateway, *std::move(channel), std::move(metrics)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<http::Server>> StartGatewayHttp(
    GatewayServer& gateway, std::function<std::string()> metrics) {
  auto server = StartHttp(gateway, std::move(metrics));
  if (!server.ok()) gateway.Stop(absl::ZeroDuration());
  return server;
}

}  // namespace rawgate::gateway
