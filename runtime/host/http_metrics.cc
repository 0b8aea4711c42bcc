#include "runtime/host/http_metrics.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rawgate::host {
namespace {

// In the order of http::Turned.
constexpr std::array<absl::string_view, http::kTurned> kReasons = {"full", "source", "evicted",
                                                                   "body", "error"};

double Value(const observe::Counter& counter) { return static_cast<double>(counter.value()); }

void AddTo(metrics::Page& page, absl::string_view service, const http::ServerCounters& counters) {
  page.AddGauge("rawgate_http_connections_open", "Connections of HTTP clients that are open.",
                {{"service", service}}, Value(counters.connections_open));
  page.AddCounter("rawgate_http_connections_opened_total",
                  "Connections of HTTP clients that were served.", {{"service", service}},
                  Value(counters.connections_opened));
  page.AddGauge("rawgate_http_body_bytes", "Bytes of requests that are held until an answer.",
                {{"service", service}}, Value(counters.bodies_bytes));
  for (size_t i = 0; i < kReasons.size(); ++i) {
    page.AddCounter("rawgate_http_connections_turned_away_total",
                    "Connections of HTTP clients that were refused, or closed for others or by an "
                    "error of the process.",
                    {{"service", service}, {"reason", kReasons[i]}}, Value(counters.turned[i]));
  }
  for (size_t i = 0; i < counters.answers.size(); ++i) {
    const bool usual = i == 200 - http::ServerCounters::kStatusMin;
    if (!usual && counters.answers[i].value() == 0) continue;
    const std::string code = i + 1 == counters.answers.size()
                                 ? "other"
                                 : absl::StrCat(http::ServerCounters::kStatusMin + i);
    page.AddCounter("rawgate_http_requests_total",
                    "HTTP requests by the status of their answer, refusals included.",
                    {{"service", service}, {"code", code}}, Value(counters.answers[i]));
  }
}

}  // namespace

void AddHttp(std::string service, std::shared_ptr<const http::ServerCounters> counters,
             metrics::Registry& registry) {
  registry.Add([service = std::move(service), counters = std::move(counters)](metrics::Page& page) {
    AddTo(page, service, *counters);
  });
}

}  // namespace rawgate::host
