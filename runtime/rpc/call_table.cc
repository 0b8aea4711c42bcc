#include "runtime/rpc/call_table.h"

namespace rawgate::rpc {
namespace {

using observe::CallCounters;

// The counters of one method, over all tables.
class Method {
 public:
  Method(const std::vector<const CallTable*>& tables, size_t number)
      : tables_(tables), number_(number), row_(tables.front()->methods().rows()[number]) {}

  void AddTo(metrics::Page& page) const {
    const metrics::Labels labels = {
        {"grpc_type", row_.type}, {"grpc_service", row_.service}, {"grpc_method", row_.method}};
    page.AddCounter("grpc_server_started_total", "Calls that began.", labels,
                    Sum(&CallCounters::started));
    page.AddCounter("grpc_server_msg_received_total", "Messages that were received.", labels,
                    Sum(&CallCounters::messages_received));
    page.AddCounter("grpc_server_msg_sent_total", "Messages that were sent.", labels,
                    Sum(&CallCounters::messages_sent));
    page.AddHistogram("grpc_server_handling_seconds", "How long calls took, to their status.",
                      labels, Handling());
    for (size_t code = 0; code < observe::kStatusCodes; ++code) AddHandled(page, code);
  }

 private:
  void AddHandled(metrics::Page& page, size_t code) const {
    double handled = 0;
    for (const CallTable* table : tables_) {
      handled += static_cast<double>((*table)[number_].handled[code].value());
    }
    if (handled == 0 && code != 0) return;
    page.AddCounter("grpc_server_handled_total", "Calls that ended, by their status.",
                    {{"grpc_type", row_.type},
                     {"grpc_service", row_.service},
                     {"grpc_method", row_.method},
                     {"grpc_code", observe::StatusCodeLabel(code)}},
                    handled);
  }

  double Sum(observe::Counter CallCounters::*counter) const {
    double sum = 0;
    for (const CallTable* table : tables_) {
      sum += static_cast<double>(((*table)[number_].*counter).value());
    }
    return sum;
  }

  observe::LatencyHistogram::Snapshot Handling() const {
    observe::LatencyHistogram::Snapshot sum;
    for (const CallTable* table : tables_) sum.Add((*table)[number_].handling.snapshot());
    return sum;
  }

  const std::vector<const CallTable*>& tables_;
  const size_t number_;
  const MethodList::Row& row_;
};

}  // namespace

void AddCalls(metrics::Page& page, const std::vector<const CallTable*>& tables) {
  const size_t count = tables.front()->methods().rows().size();
  for (size_t number = 0; number < count; ++number) Method(tables, number).AddTo(page);
}

}  // namespace rawgate::rpc
