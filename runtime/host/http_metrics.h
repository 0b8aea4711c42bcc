// What an HTTP server counts, as metrics.
#pragma once

#include <memory>
#include <string>

#include "runtime/http/counters.h"
#include "runtime/metrics/registry.h"

namespace rawgate::host {

// Named for the service `service`.
void AddHttp(std::string service, std::shared_ptr<const http::ServerCounters> counters,
             metrics::Registry& registry);

}  // namespace rawgate::host
