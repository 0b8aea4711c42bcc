// The HTTP server of a service process: probes, version, metrics.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/host/service_books.h"
#include "runtime/http/server.h"
#include "runtime/net/service.h"

namespace rawgate::host {

// As the flags say; null for --http_listen=off. Ready while every listener of `service`, which
// outlives the server, runs. /metrics is what `books`, which does too, have. Errors: those of
// HttpSettingsFromFlags() and StartHttp(), FAILED_PRECONDITION (INSECURE_BIND).
absl::StatusOr<std::unique_ptr<http::Server>> StartServiceHttp(const std::string& name,
                                                               net::Service& service,
                                                               ServiceBooks& books);

}  // namespace rawgate::host
