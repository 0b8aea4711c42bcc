#include "runtime/metrics/service_metrics.h"

namespace rawgate::metrics {
namespace {

double ToDouble(const observe::Counter& counter) { return static_cast<double>(counter.value()); }

void AddStreams(Page& page, const CountedListener& row) {
  const observe::Counters& counters = row.counters;
  const Labels labels = {{"service", row.service}, {"listener", row.listener}};
  page.AddCounter("rawgate_listener_connections_opened_total", "Connections that were accepted.",
                  labels, ToDouble(counters.connections_opened));
  page.AddGauge("rawgate_listener_connections", "Connections that are open.", labels,
                ToDouble(counters.connections_open));
  // The first is that of connections that are open.
  for (size_t i = 1; i < observe::kCloseReasons; ++i) {
    page.AddCounter("rawgate_listener_connections_closed_total",
                    "Connections that ended, by why they did.",
                    {{"service", row.service},
                     {"listener", row.listener},
                     {"reason", observe::CloseReasonName(static_cast<observe::CloseReason>(i))}},
                    ToDouble(counters.closed[i]));
  }
}

void AddDatagrams(Page& page, const CountedListener& row) {
  const observe::Counters& counters = row.counters;
  const Labels labels = {{"service", row.service}, {"listener", row.listener}};
  page.AddCounter("rawgate_listener_datagrams_received_total", "Datagrams that were received.",
                  labels, ToDouble(counters.datagrams_received));
  page.AddCounter("rawgate_listener_datagrams_sent_total", "Datagrams that were sent.", labels,
                  ToDouble(counters.datagrams_sent));
  page.AddCounter("rawgate_listener_datagrams_overflowed_total",
                  "Datagrams that the kernel dropped, as they came faster than they were received.",
                  labels, ToDouble(counters.datagrams_overflowed));
  page.AddCounter("rawgate_listener_send_failures_total", "Datagrams that could not be sent.",
                  labels, ToDouble(counters.send_failures));
  for (size_t i = 1; i < observe::kDropReasons; ++i) {
    page.AddCounter("rawgate_listener_datagrams_dropped_total",
                    "Datagrams that were received and not served, by why they were not.",
                    {{"service", row.service},
                     {"listener", row.listener},
                     {"reason", observe::DropReasonName(static_cast<observe::DropReason>(i))}},
                    ToDouble(counters.dropped[i]));
  }
}

}  // namespace

void AddListener(Page& page, const CountedListener& row) {
  if (row.streams) AddStreams(page, row);
  if (row.datagrams) AddDatagrams(page, row);
  const observe::Counters& counters = row.counters;
  const Labels labels = {{"service", row.service}, {"listener", row.listener}};
  page.AddCounter("rawgate_listener_received_bytes_total", "Bytes that were received.", labels,
                  ToDouble(counters.bytes_received));
  page.AddCounter("rawgate_listener_sent_bytes_total", "Bytes that were sent.", labels,
                  ToDouble(counters.bytes_sent));
  page.AddCounter("rawgate_listener_requests_total", "Requests that were answered.", labels,
                  ToDouble(counters.requests));
  page.AddCounter("rawgate_listener_request_errors_total",
                  "Requests among them that were answered with an error.", labels,
                  ToDouble(counters.request_errors));
  page.AddHistogram(
      "rawgate_request_duration_seconds",
      "How long requests took; those of datagrams, until the answers to all that came "
      "together were sent.",
      labels, counters.request_seconds.snapshot());
}

void AddService(Page& page, net::Service& service, absl::string_view rpc_listener,
                uint64_t connections_max) {
  page.AddGauge("rawgate_service_accepting", "Whether the service is started.",
                {{"service", service.name()}}, service.accepting() ? 1 : 0);
  for (const auto& listener : service.listeners()) {
    const Labels labels = {{"service", service.name()}, {"listener", listener->name()}};
    page.AddGauge("rawgate_listener_up", "Whether the listener is bound and serves.", labels,
                  listener->running ? 1 : 0);
    page.AddGauge("rawgate_listener_wanted", "Whether it should be: 0 once an operator stopped it.",
                  labels, listener->desired_running ? 1 : 0);
    page.AddGauge("rawgate_listener_faults",
                  "Whether the listener misbehaves because it was told to (SetFaults).", labels,
                  listener->faulty ? 1 : 0);
    const bool datagrams = net::IsDatagram(listener->configured().transport());
    if (!datagrams) {
      page.AddGauge("rawgate_listener_connections_max", "Connections that may be open.", labels,
                    static_cast<double>(connections_max));
    }
    AddListener(page, {.service = service.name(),
                       .listener = listener->name(),
                       .counters = listener->counters(),
                       .streams = !datagrams,
                       .datagrams = datagrams});
  }
  AddListener(
      page,
      {.service = service.name(), .listener = rpc_listener, .counters = service.rpc_counters()});
  service.RefreshCounters();
}

}  // namespace rawgate::metrics
