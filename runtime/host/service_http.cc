#include "runtime/host/service_http.h"

#include <utility>

#include "runtime/host/http_flags.h"
#include "runtime/host/http_metrics.h"
#include "runtime/host/process.h"
#include "runtime/http/pages.h"

namespace rawgate::host {
namespace {

// These pages take no bodies.
constexpr uint64_t kBodyBytesMax = 1 << 10;

std::string NameOf(net::State state) {
  switch (state) {
    case net::State::kStarting:
      return "starting";
    case net::State::kRunning:
      return "running";
    case net::State::kDraining:
      return "draining";
    case net::State::kStopped:
      return "stopped";
    case net::State::kFailed:
      return "failed";
  }
  return "unknown";
}

http::Readiness ReadinessOf(const net::ServiceDescription& now) {
  http::Readiness readiness{.ready = now.state == net::State::kRunning, .not_serving = {}};
  for (const net::ListenerDescription& listener : now.listeners) {
    if (listener.status.state == net::State::kRunning) continue;
    readiness.ready = false;
    readiness.not_serving.push_back({listener.name, NameOf(listener.status.state)});
  }
  return readiness;
}

}  // namespace

absl::StatusOr<std::unique_ptr<http::Server>> StartServiceHttp(const std::string& name,
                                                               net::Service& service,
                                                               ServiceBooks& books) {
  absl::StatusOr<HttpSettings> settings = HttpSettingsFromFlags();
  if (!settings.ok()) return settings.status();
  for (const net::Endpoint& address : settings->addresses) {
    if (absl::Status allowed = CheckBind(address); !allowed.ok()) return allowed;
  }
  settings->options.body_bytes_max = kBodyBytesMax;
  AddHttp(name, settings->options.counters, books.registry());
  auto router = std::make_shared<http::Router>();
  http::AddProcessPages(
      {.name = name,
       .instance = service.instance(),
       .readiness =
           [&service](std::function<void(http::Readiness)> answer) {
             service.Describe([answer = std::move(answer)](const net::ServiceDescription& now) {
               answer(ReadinessOf(now));
             });
           },
       .metrics = [&books] { return books.Page(); },
       .access = {}},
      *router);
  return StartHttp(*std::move(settings), std::move(router));
}

}  // namespace rawgate::host
